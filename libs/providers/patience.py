"""A timeout that the provider gate can see, so that giving up counts as a failure of the provider.

Other cancellations (the process stops, the client went away) say nothing of the provider and do not count.
"""

import asyncio
import math
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True)
class _Patience:
    timeout: asyncio.Timeout
    seconds: float


_OF_CALLER: ContextVar[_Patience | None] = ContextVar("patience", default=None)


@asynccontextmanager
async def patience(seconds: float) -> AsyncGenerator[asyncio.Timeout, None]:
    """``asyncio.timeout``, for whoever waits for a provider less long than its client does.

    Raises ``TimeoutError``. Waiting for a turn at the gate is part of it.
    """
    async with asyncio.timeout(seconds) as timeout:
        outer = _OF_CALLER.set(_Patience(timeout, seconds))
        try:
            yield timeout
        finally:
            _OF_CALLER.reset(outer)


def left_s() -> float:
    """Returns how many seconds the caller will still wait; infinite where nobody's patience ends."""
    patience = _OF_CALLER.get()
    return math.inf if patience is None else _left_s(patience)


class CallUnderWay:
    """A call that begins now, as seen by who waits for it."""

    def __init__(self) -> None:
        self._patience = _OF_CALLER.get()
        self._had_time = self._patience is not None and _left_s(self._patience) >= self._patience.seconds / 2

    @property
    def took_too_long(self) -> bool:
        """True once it was given up for that, unless most of the time had gone by before it began, in a queue."""
        return self._patience is not None and self._had_time and self._patience.timeout.expired()


def _left_s(patience: _Patience) -> float:
    ends_at = patience.timeout.when()
    return patience.seconds if ends_at is None else ends_at - asyncio.get_running_loop().time()
