"""Turns an API key or a bearer token into a principal, by this service's own tables; a first login makes the user."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Self

from contracts.events.user_changed_v1 import UserStatus
from database.engine import Database
from identity import local_issuer
from identity.api_keys import hash_api_key, is_well_formed
from identity.oidc import OidcVerifier, VerifiedUser, configured_verifier
from identity.principal import Principal
from identity.remembered import RememberedPrincipals
from upload_gateway.announcing import announce_user
from upload_gateway.settings import Settings
from upload_gateway.store import users
from upload_gateway.store.users import UserRow

REMEMBERED_S = 3.0
"""How long a key or user just looked up is believed where no word of a change arrives."""
REMEMBERED = 2048
NOTE_USE_EVERY = timedelta(minutes=1)
FIRST_TIER = "free"


@dataclass(frozen=True)
class LocalLogin:
    """The one user of one machine and the secret that signs their tokens."""

    user_id: str
    secret: str


class TableAuthenticator:
    """An :class:`identity.principal.Authenticator` over ``users`` and ``api_keys``.

    ``announced`` is called when a first login left an event in the outbox.
    """

    def __init__(
        self,
        database: Database,
        local: LocalLogin | None = None,
        oidc: OidcVerifier | None = None,
        announced: Callable[[], None] | None = None,
    ) -> None:
        self.local = local
        self.oidc = oidc
        self._database = database
        self._announced = announced
        self._remembered = RememberedPrincipals(REMEMBERED_S, REMEMBERED)

    @classmethod
    def configured(cls, database: Database, settings: Settings, announced: Callable[[], None]) -> Self:
        """With the ways to sign in that the environment names."""
        secret = settings.local_issuer_secret
        local = LocalLogin(settings.local_user_id, secret) if secret else None
        return cls(database, local, configured_verifier(settings), announced)

    async def by_api_key(self, key: str) -> Principal | None:
        """See :meth:`Authenticator.by_api_key`."""
        return await self._by_key_hash(hash_api_key(key)) if is_well_formed(key) else None

    async def by_bearer(self, token: str) -> Principal | None:
        """See :meth:`Authenticator.by_bearer`. Raises ``KeysUnavailableError``."""
        user_id = local_issuer.subject(self.local.secret, token) if self.local else None
        if user_id is not None:
            return await self._by_user_id(user_id)
        verified = await self.oidc.verify(token) if self.oidc else None
        if verified is None:
            return None
        return await self._by_user_id(verified.user_id) or await self._first_login(verified)

    async def still_admits(self, user_id: str, key_sha256: str | None) -> bool:
        """Whether a user, and the key they came with, may go on."""
        found = await (self._by_key_hash(key_sha256) if key_sha256 else self._by_user_id(user_id))
        return found is not None and not found.suspended

    def forget(self, key_sha256: str) -> None:
        """A key is no more: here from now on, on other instances within seconds."""
        self._remembered.forget(key_sha256)

    def forget_user(self, user_id: str) -> None:
        """Something about a user or their keys changed: they are looked up anew."""
        self._remembered.forget_user(user_id)

    async def _by_key_hash(self, sha256: str) -> Principal | None:
        known = self._remembered.recall(sha256)
        if known is not None:
            return known
        async with self._database.transaction() as session:
            user = await users.find_user_by_key(session, sha256)
            if user is not None:
                await users.touch_key(session, sha256, NOTE_USE_EVERY)
        return self._remember(sha256, user)

    async def _by_user_id(self, user_id: str) -> Principal | None:
        known = self._remembered.recall(user_id)
        if known is not None:
            return known
        async with self._database.transaction() as session:
            user = await users.find_user(session, user_id)
        return self._remember(user_id, user)

    async def _first_login(self, verified: VerifiedUser) -> Principal | None:
        async with self._database.transaction() as session:
            if await users.add_user(session, verified.user_id, tier=FIRST_TIER, operator=False):
                if verified.email:
                    await users.note_email(session, verified.user_id, verified.email)
                await announce_user(session, verified.user_id)
        if self._announced is not None:
            self._announced()
        return await self._by_user_id(verified.user_id)

    def _remember(self, name: str, user: UserRow | None) -> Principal | None:
        if user is None:
            return None
        suspended = user.status == UserStatus.SUSPENDED.value
        principal = Principal(user.user_id, tier=user.tier, operator=user.operator, suspended=suspended)
        self._remembered.remember(name, principal)
        return principal
