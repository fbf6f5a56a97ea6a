"""Wraps an optional Redis: calls return None while it is down, and it is not tried again for five seconds."""

import math
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import structlog
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError

_TIMEOUT_S = 0.5
_REST_S = 5.0
"""A store that was away is not asked again for so long: its timeouts would slow every call down."""

CONNECTION: dict[str, Any] = {
    "socket_timeout": _TIMEOUT_S,
    "socket_connect_timeout": _TIMEOUT_S,
    "retry": Retry(NoBackoff(), 1),  # once, for a connection that was closed while it lay unused
    "retry_on_error": [RedisConnectionError],
}
"""How to connect to a store that may be away."""

_ResultT = TypeVar("_ResultT")
_log = structlog.get_logger()


class OptionalStore:
    """``what`` names the store in the log; ``clock`` returns seconds that only grow.

    ``on_availability`` is called after each call with whether the store is away.
    """

    def __init__(
        self,
        what: str,
        on_availability: Callable[[bool], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._what = what
        self._on_availability = on_availability
        self._clock = clock
        self._rests_until = -math.inf
        self._away = False

    async def call(self, operation: Callable[[], Awaitable[_ResultT]]) -> _ResultT | None:
        """What the operation returns; None when the store is away."""
        if self._clock() < self._rests_until:
            return None
        try:
            result = await operation()
        except Exception as error:
            self._rests_until = self._clock() + _REST_S
            if not self._away:
                _log.warning("store away", store=self._what, reason=f"{type(error).__name__}: {error}"[:200])
            self._note(away=True)
            return None
        if self._away:
            _log.info("store there again", store=self._what)
        self._note(away=False)
        return result

    def _note(self, *, away: bool) -> None:
        self._away = away
        if self._on_availability is not None:
            self._on_availability(away)
