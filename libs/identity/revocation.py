"""Asks Firebase whether what a user signed in with still counts: not disabled, removed or signed out everywhere since.

The protocol of the official Admin SDK: ``accounts:lookup`` names the time from which on a user's tokens are valid.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import google.auth
import httpx2
import structlog
from google.auth.exceptions import GoogleAuthError
from google.auth.transport.requests import Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError

CHECKED_S = 60.0
"""How long after it a revocation may go unnoticed."""
STALE_S = 3600.0
"""While Firebase is away what it said last is believed for as long as a token lives."""
_MOST = 10_000
_TIMEOUT_S = 5.0
_GOOGLE = "https://identitytoolkit.googleapis.com"
_SCOPE = "https://www.googleapis.com/auth/identitytoolkit"
_EMULATORS_TOKEN = "owner"  # noqa: S105 - the word that the Auth emulator takes for an administrator's token

_log = structlog.get_logger()


class AccountsUnavailableError(ConnectionError):
    """Firebase does not say right now whether a user's tokens count."""


class _Account(BaseModel):
    model_config = ConfigDict(extra="ignore")

    disabled: bool = False
    valid_since: int = Field(default=0, alias="validSince")


class _Found(BaseModel):
    model_config = ConfigDict(extra="ignore")

    users: list[_Account] = []


class FirebaseAccounts:
    """The accounts of one project. ``emulator``: ``host:port`` of the Auth emulator, which stands for Google there.

    Google is asked as the account this process runs as, which needs ``roles/firebaseauth.viewer``. ``clock`` returns
    seconds that only grow.
    """

    def __init__(
        self, project: str, emulator: str | None = None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        host = f"http://{emulator}/identitytoolkit.googleapis.com" if emulator else _GOOGLE
        self._url = f"{host}/v1/projects/{project}/accounts:lookup"
        self._emulated = emulator is not None
        self._clock = clock
        self._credentials: Any = None
        self._known: OrderedDict[str, tuple[float, _Account | None]] = OrderedDict()

    async def revoked(self, subject: str, issued_at: float) -> bool:
        """Whether a token issued then (seconds since 1970) no longer counts. Raises ``AccountsUnavailableError``."""
        account = await self._account(subject)
        return account is None or account.disabled or issued_at < account.valid_since

    async def _account(self, subject: str) -> _Account | None:
        asked_at, known = self._known.get(subject, (float("-inf"), None))
        age_s = self._clock() - asked_at
        if age_s < CHECKED_S:
            return known
        try:
            account = await self._looked_up(subject)
        except (httpx2.HTTPError, GoogleAuthError, ValidationError) as error:
            if age_s < STALE_S:
                _log.warning("revocation not checked", reason=f"{type(error).__name__}: {error}"[:200])
                return known
            raise AccountsUnavailableError(f"{type(error).__name__}: {error}"[:200]) from error
        self._known[subject] = (self._clock(), account)
        self._known.move_to_end(subject)
        while len(self._known) > _MOST:
            self._known.popitem(last=False)
        return account

    async def _looked_up(self, subject: str) -> _Account | None:
        token = _EMULATORS_TOKEN if self._emulated else await asyncio.to_thread(self._token)
        async with httpx2.AsyncClient(timeout=_TIMEOUT_S, follow_redirects=False) as client:
            answer = await client.post(
                self._url, json={"localId": [subject]}, headers={"Authorization": f"Bearer {token}"}
            )
        answer.raise_for_status()
        users = _Found.model_validate_json(answer.content).users
        return users[0] if users else None

    def _token(self) -> str:
        if self._credentials is None:
            self._credentials, _ = google.auth.default(scopes=[_SCOPE])  # pyright: ignore[reportUnknownMemberType]
        if not self._credentials.valid:
            self._credentials.refresh(Request())
        return self._credentials.token
