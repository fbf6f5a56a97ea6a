"""Finds the principal behind an API key or a local token in the users that upload-gateway told of."""

import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable

from sqlalchemy.ext.asyncio import AsyncSession

from database.engine import Database
from identity import local_issuer
from identity.api_keys import hash_api_key, is_well_formed
from identity.principal import Principal
from search.store import principals

REMEMBERED_S = 5.0
"""How long a suspended user or a revoked key may still get in."""

_MOST_REMEMBERED = 10_000


class ProjectedAuthenticator:
    """An ``identity.principal.Authenticator`` over this service's own tables.

    Bearer tokens are those of the local issuer; without its secret none is valid. Only principals that were found
    are remembered, so that a new key works at once and made-up keys fill nothing.
    """

    def __init__(
        self,
        database: Database,
        *,
        local_issuer_secret: str | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._secret = local_issuer_secret
        self._clock = clock
        self._known: OrderedDict[str, tuple[float, Principal]] = OrderedDict()

    async def by_api_key(self, key: str) -> Principal | None:
        """The owner of an API key; None when no such key is known."""
        if not is_well_formed(key):
            return None
        sha256 = hash_api_key(key)
        return await self._remembering(f"key:{sha256}", lambda session: principals.by_key_hash(session, sha256))

    async def by_bearer(self, token: str) -> Principal | None:
        """The subject of a token of the local issuer; None when the token or its subject is not known."""
        user_id = local_issuer.subject(self._secret, token) if self._secret else None
        if user_id is None or "\x00" in user_id:
            return None
        return await self._remembering(f"user:{user_id}", lambda session: principals.by_user_id(session, user_id))

    async def _remembering(
        self, name: str, look_up: Callable[[AsyncSession], Awaitable[Principal | None]]
    ) -> Principal | None:
        found = self._known.get(name)
        if found and self._clock() - found[0] < REMEMBERED_S:
            return found[1]
        self._known.pop(name, None)
        async with self._database.transaction() as session:
            principal = await look_up(session)
        if principal is not None:
            self._known[name] = (self._clock(), principal)
            while len(self._known) > _MOST_REMEMBERED:
                self._known.popitem(last=False)
        return principal
