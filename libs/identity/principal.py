"""The one who asks, and the FastAPI dependency that finds out who that is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Protocol

import structlog
from fastapi import Request, Security
from fastapi.security import APIKeyHeader, HTTPBearer
from fastapi.security.base import SecurityBase

from hosting.answers import ApiError
from identity.api_keys import is_well_formed

SUBPROTOCOL_BEARER = "bearer."
"""Before a token or API key among the subprotocols of a WebSocket, which browsers open without headers."""


@dataclass(frozen=True)
class Principal:
    """An authenticated user. ``operator`` may see what belongs to nobody and repair what belongs to all."""

    user_id: str
    tier: str = "free"
    operator: bool = False
    suspended: bool = False


class Authenticator(Protocol):
    """Finds the principal behind a credential."""

    async def by_api_key(self, key: str) -> Principal | None:
        """The owner of an API key; None when no such key is known."""
        ...

    async def by_bearer(self, token: str) -> Principal | None:
        """The subject of a token; None when it is not valid here."""
        ...


_api_key = APIKeyHeader(name="X-API-Key", auto_error=False)
_bearer = HTTPBearer(auto_error=False)


class _Declared(SecurityBase):
    """The scheme of bearer tokens, for OpenAPI: who needs a token reads it from the headers."""

    model = _bearer.model
    scheme_name = _bearer.scheme_name

    async def __call__(self) -> None:
        return None


class _Authenticated(SecurityBase):
    """The caller; 401 without a valid credential, 403 when suspended. Needs ``app.state.authenticator``.

    Both OpenAPI security schemes in one dependency: this one is the API key, ``_Declared`` adds the bearer token.
    Each further dependency would double its cost.
    """

    model = _api_key.model
    scheme_name = _api_key.scheme_name

    async def __call__(self, request: Request, _bearer: Annotated[None, Security(_Declared())]) -> Principal:
        known: Principal | None = request.scope.get("state", {}).get("principal")  # found by the rate limits before
        if known is not None and not known.suspended:
            return known
        authenticator: Authenticator = request.app.state.authenticator
        return await principal_of(authenticator, *credentials_of(request.headers))


async def principal_of(authenticator: Authenticator, api_key: str | None, token: str | None) -> Principal:
    """Who an API key, or else a bearer token, belongs to. Raises ``ApiError``: 401, or 403 when suspended."""
    principal: Principal | None = None
    if api_key:
        principal = await authenticator.by_api_key(api_key)
    elif token:
        principal = await authenticator.by_bearer(token)
    if principal is None:
        raise ApiError(
            401, "unauthenticated", "Send a valid API key or bearer token.", headers={"WWW-Authenticate": "Bearer"}
        )
    structlog.contextvars.bind_contextvars(user_id=principal.user_id)
    if principal.suspended:
        raise ApiError(403, "suspended", "This account is suspended.")
    return principal


def credentials_of(headers: Mapping[str, str], subprotocols: Sequence[str] = ()) -> tuple[str | None, str | None]:
    """(API key, bearer token) as far as a request or WebSocket brings them; at most one of the two."""
    told = next((p.removeprefix(SUBPROTOCOL_BEARER) for p in subprotocols if p.startswith(SUBPROTOCOL_BEARER)), "")
    key = headers.get("x-api-key") or (told if is_well_formed(told) else None)
    if key:
        return key, None
    scheme, _, sent = headers.get("authorization", "").partition(" ")
    return None, (sent.strip() if scheme.lower() == "bearer" else None) or told or None


Caller = Annotated[Principal, Security(_Authenticated())]
"""A route parameter: the authenticated caller."""
