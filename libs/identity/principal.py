"""The one who asks, and the FastAPI dependency that finds out who that is."""

from dataclasses import dataclass
from typing import Annotated, Protocol

from fastapi import Depends, Request, Security
from fastapi.security import APIKeyHeader, HTTPAuthorizationCredentials, HTTPBearer

from hosting.answers import ApiError


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


async def authenticate(
    request: Request,
    api_key: Annotated[str | None, Security(_api_key)],
    bearer: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)],
) -> Principal:
    """The caller; 401 without a valid credential, 403 when suspended. Needs ``app.state.authenticator``."""
    authenticator: Authenticator = request.app.state.authenticator
    principal: Principal | None = None
    if api_key:
        principal = await authenticator.by_api_key(api_key)
    elif bearer:
        principal = await authenticator.by_bearer(bearer.credentials)
    if principal is None:
        raise ApiError(
            401, "unauthenticated", "Send a valid API key or bearer token.", headers={"WWW-Authenticate": "Bearer"}
        )
    if principal.suspended:
        raise ApiError(403, "suspended", "This account is suspended.")
    return principal


Caller = Annotated[Principal, Depends(authenticate)]
"""A route parameter: the authenticated caller."""
