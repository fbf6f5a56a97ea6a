"""Finds the principal of an API key or a bearer token among the users announced by upload-gateway."""

import time
from collections.abc import Awaitable, Callable
from typing import Self

from database.engine import NO_TENANT, Database
from database.reading import Reading
from identity import local_issuer
from identity.api_keys import hash_api_key, is_well_formed
from identity.oidc import OidcVerifier, configured_verifier
from identity.principal import Principal
from identity.remembered import RememberedPrincipals
from search.settings import Settings
from search.store import principals

REMEMBERED_S = 5.0
"""Seconds for which a suspended user or a revoked key may still get in."""

_MOST_REMEMBERED = 10_000


class ProjectedAuthenticator:
    """An ``identity.principal.Authenticator`` over this service's own tables.

    Accepts bearer tokens of the local issuer, if its secret is given, and of the configured one.
    """

    def __init__(
        self,
        database: Database,
        *,
        local_issuer_secret: str | None = None,
        oidc: OidcVerifier | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._secret = local_issuer_secret
        self._oidc = oidc
        self._remembered = RememberedPrincipals(REMEMBERED_S, _MOST_REMEMBERED, clock)

    @classmethod
    def configured(cls, database: Database, settings: Settings) -> Self:
        """Builds the authenticator with the issuers named in the settings."""
        return cls(database, local_issuer_secret=settings.local_issuer_secret, oidc=configured_verifier(settings))

    async def by_api_key(self, key: str) -> Principal | None:
        """Returns the owner of an API key; None if the key is unknown."""
        if not is_well_formed(key):
            return None
        sha256 = hash_api_key(key)
        return await self._remembering(f"key:{sha256}", lambda reading: principals.by_key_hash(reading, sha256))

    async def by_bearer(self, token: str) -> Principal | None:
        """Returns the subject of a token; None if the token is not valid. Raises ``KeysUnavailableError``.

        Users of the configured issuer may search before upload-gateway has announced them: they have no files yet.
        """
        user_id = local_issuer.subject(self._secret, token) if self._secret else None
        if user_id is not None:
            return None if "\x00" in user_id else await self._by_user_id(user_id)
        verified = await self._oidc.verify(token) if self._oidc else None
        if verified is None:
            return None
        return await self._by_user_id(verified.user_id) or Principal(verified.user_id)

    async def _by_user_id(self, user_id: str) -> Principal | None:
        return await self._remembering(f"user:{user_id}", lambda reading: principals.by_user_id(reading, user_id))

    async def _remembering(
        self, name: str, look_up: Callable[[Reading], Awaitable[Principal | None]]
    ) -> Principal | None:
        known = self._remembered.recall(name)
        if known is not None:
            return known
        async with self._database.reading(NO_TENANT) as reading:
            principal = await look_up(reading)
        if principal is not None:
            self._remembered.remember(name, principal)
        return principal
