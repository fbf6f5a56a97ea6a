"""Refusals that pass by themselves into pauses: how long to wait before asking again, and when to give up."""

from collections.abc import Callable
from typing import TypeVar

import httpx2

from mmsearch.errors import ApiError, MmsearchError, UnreachableError

PATIENCE_S = 120.0
"""Of all pauses of one call: limits are counted by the minute, and a service starts again in less."""

_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.5, 15.0
_NOT_NOW = frozenset({408, 429, 503})
AWAY = _NOT_NOW | {502, 504}
"""What the system answers, or a router before it, while it is too busy or starts again."""

Pause = Callable[[float], object]
"""Called with seconds to wait; what it raises ends the call."""

ResultT = TypeVar("ResultT")


class Patience:
    """What one call has left to wait for; its pauses grow where nobody says how long they should be."""

    def __init__(self) -> None:
        self._left_s = PATIENCE_S
        self._next_s = _FIRST_PAUSE_S

    def pause_s(self, asked_s: float | None) -> float | None:
        """Seconds until the next try, ``asked_s`` at least; None when that is more than is left."""
        pause_s = max(asked_s or 0.0, self._next_s)
        if pause_s > self._left_s:
            return None
        self._left_s -= pause_s
        self._next_s = min(self._next_s * 2, _LONGEST_PAUSE_S)
        return pause_s


def patiently(call: Callable[[], ResultT], passes: Callable[[MmsearchError], bool], pause: Pause) -> ResultT:
    """Calls again while what is raised ``passes``; raises it in the end, or at once when the wait would be too long."""
    patience = Patience()
    while True:
        try:
            return call()
        except MmsearchError as error:
            asked_s = error.retry_after_s if isinstance(error, ApiError) else None
            pause_s = patience.pause_s(asked_s) if passes(error) else None
            if pause_s is None:
                raise
        pause(pause_s)


def is_not_now(error: MmsearchError) -> bool:
    """Whoever refuses so has done nothing yet: anything may be asked again."""
    return isinstance(error, ApiError) and error.status in _NOT_NOW


def is_away(error: MmsearchError) -> bool:
    """Perhaps it was done: only what may be done twice may be asked again."""
    return isinstance(error, UnreachableError) or (isinstance(error, ApiError) and error.status in AWAY)


def retry_after_s(response: httpx2.Response) -> float | None:
    """The seconds that the answer asks to wait; None when it names none."""
    wait = response.headers.get("Retry-After", "")
    return float(wait) if wait.isdecimal() else None
