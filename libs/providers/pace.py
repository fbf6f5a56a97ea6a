"""Turns a limit of calls a minute into the moment at which each next call may start. Pure, no I/O."""

from collections.abc import Callable


class Pace:
    """Lets ``per_minute`` calls start in any minute, up to ``burst`` of them at once, in the order they came.

    ``clock`` returns seconds that only grow. Belongs to one event loop.
    """

    def __init__(self, clock: Callable[[], float], *, per_minute: float, burst: int = 10) -> None:
        self._clock = clock
        self._interval_s = 60 / per_minute
        self._credit_s = self._interval_s * (burst - 1)
        self._next = clock() - self._credit_s

    def wait_s(self) -> float:
        """Returns how many seconds away the next place is, without taking it."""
        now = self._clock()
        return max(0.0, max(self._next, now - self._credit_s) - now)

    def reserve(self) -> float:
        """Takes the next place; returns how many seconds to wait for it."""
        wait_s = self.wait_s()
        self._next = max(self._next, self._clock() - self._credit_s) + self._interval_s
        return wait_s

    def give_back(self) -> None:
        """A place taken will not be used: whoever comes next gets one earlier."""
        self._next -= self._interval_s
