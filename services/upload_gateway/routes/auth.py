"""``GET /auth/config``: how the page signs people in. ``POST /auth/local``: the one user of one machine, asked from a
page on that machine only.
"""

from collections.abc import Mapping
from ipaddress import ip_address
from urllib.parse import urlsplit

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from hosting.answers import Answer, ApiError, not_found
from hosting.app import API_ROOT
from identity import local_issuer
from upload_gateway.resources import Gateway

router = APIRouter(prefix=API_ROOT, tags=["auth"])


class Token(BaseModel):
    """A bearer token."""

    token: str
    expires_in: int


class SignIn(BaseModel):
    """``local``: ask for a token by ``POST /auth/local``. Otherwise by authorization code with PKCE at the issuer."""

    local: bool
    issuer: str | None = None
    client_id: str | None = None
    authorization_endpoint: str | None = None
    token_endpoint: str | None = None
    end_session_endpoint: str | None = None
    scope: str = "openid email profile"


@router.get("/auth/config")
async def sign_in_config(gateway: Gateway) -> Answer[SignIn]:
    """What a page needs to know before anybody has signed in."""
    local, oidc = gateway.authenticator.local is not None, gateway.authenticator.oidc
    if local or oidc is None:
        return Answer(data=SignIn(local=local))
    issuer = oidc.issuer
    sign_in = SignIn(
        local=False,
        issuer=issuer.issuer,
        client_id=issuer.client_id,
        authorization_endpoint=issuer.authorization_endpoint,
        token_endpoint=issuer.token_endpoint,
    )
    if issuer.client_id and not (issuer.authorization_endpoint and issuer.token_endpoint):
        found = await oidc.discovery()
        sign_in.authorization_endpoint = issuer.authorization_endpoint or found.authorization_endpoint
        sign_in.token_endpoint = issuer.token_endpoint or found.token_endpoint
        sign_in.end_session_endpoint = found.end_session_endpoint
    return Answer(data=sign_in)


@router.post("/auth/local")
async def sign_in_locally(request: Request, response: Response, gateway: Gateway) -> Answer[Token]:
    """A token for the local user; 404 where there is none, 403 for any other site's page."""
    local = gateway.authenticator.local
    if local is None:
        raise not_found("local sign-in")
    if not is_own_page(request.headers):
        raise ApiError(403, "forbidden", "Local sign-in works only from this machine's own page.")
    response.headers["Cache-Control"] = "no-store"
    token = local_issuer.issue(local.secret, local.user_id)
    return Answer(data=Token(token=token, expires_in=int(local_issuer.LIFETIME.total_seconds())))


def is_own_page(headers: Mapping[str, str]) -> bool:
    """False for a host name that merely resolves to this machine, and for a page of another site."""
    host = headers.get("host", "")
    if not _is_loopback(host) or headers.get("sec-fetch-site", "none") not in ("same-origin", "none"):
        return False
    origin = headers.get("origin")
    return origin is None or urlsplit(origin).netloc == host


def _is_loopback(host: str) -> bool:
    try:
        name = urlsplit(f"//{host}").hostname or ""
        return name == "localhost" or ip_address(name).is_loopback
    except ValueError:
        return False
