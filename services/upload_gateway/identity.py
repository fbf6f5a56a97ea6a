"""Turns an API key or a bearer token into a principal, by this service's own tables."""

import time
from collections import OrderedDict
from dataclasses import dataclass
from datetime import timedelta

from contracts.events.user_changed_v1 import UserStatus
from database.engine import Database
from identity import local_issuer
from identity.api_keys import hash_api_key, is_well_formed
from identity.principal import Principal
from upload_gateway.store import users
from upload_gateway.store.users import UserRow

REMEMBERED_S = 3.0
"""How long a key or user just looked up is believed; a deleted key works no longer than that elsewhere."""
REMEMBERED = 2048
NOTE_USE_EVERY = timedelta(minutes=1)


@dataclass(frozen=True)
class LocalLogin:
    """The one user of one machine and the secret that signs their tokens."""

    user_id: str
    secret: str


class TableAuthenticator:
    """An :class:`identity.principal.Authenticator` over ``users`` and ``api_keys``."""

    def __init__(self, database: Database, local: LocalLogin | None = None) -> None:
        self._database = database
        self._local = local
        self._known: OrderedDict[str, tuple[float, Principal]] = OrderedDict()

    async def by_api_key(self, key: str) -> Principal | None:
        """See :meth:`Authenticator.by_api_key`."""
        if not is_well_formed(key):
            return None
        sha256 = hash_api_key(key)
        known = self._recall(sha256)
        if known is not None:
            return known
        async with self._database.transaction() as session:
            user = await users.find_user_by_key(session, sha256)
            if user is not None:
                await users.touch_key(session, sha256, NOTE_USE_EVERY)
        return self._remember(sha256, user)

    async def by_bearer(self, token: str) -> Principal | None:
        """See :meth:`Authenticator.by_bearer`."""
        user_id = local_issuer.subject(self._local.secret, token) if self._local else None
        if user_id is None:
            return None
        known = self._recall(user_id)
        if known is not None:
            return known
        async with self._database.transaction() as session:
            user = await users.find_user(session, user_id)
        return self._remember(user_id, user)

    def forget(self, key_sha256: str) -> None:
        """A key is no more: here from now on, on other instances within seconds."""
        self._known.pop(key_sha256, None)

    def _recall(self, name: str) -> Principal | None:
        until, principal = self._known.get(name, (0.0, None))
        return principal if time.monotonic() < until else None

    def _remember(self, name: str, user: UserRow | None) -> Principal | None:
        if user is None:
            return None
        suspended = user.status == UserStatus.SUSPENDED.value
        principal = Principal(user.user_id, tier=user.tier, operator=user.operator, suspended=suspended)
        self._known[name] = (time.monotonic() + REMEMBERED_S, principal)
        self._known.move_to_end(name)
        while len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
        return principal
