"""``POST /auth/local``: signs in the one user of one machine, asked from a page on that machine only."""

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


@router.post("/auth/local")
async def sign_in_locally(request: Request, response: Response, gateway: Gateway) -> Answer[Token]:
    """A token for the local user; 404 where there is none, 403 for any other site's page."""
    if gateway.local is None:
        raise not_found("local sign-in")
    if not is_own_page(request.headers):
        raise ApiError(403, "forbidden", "Local sign-in works only from this machine's own page.")
    response.headers["Cache-Control"] = "no-store"
    token = local_issuer.issue(gateway.local.secret, gateway.local.user_id)
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
