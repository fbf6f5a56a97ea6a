"""A circuit breaker: a run of failures becomes a pause in which nobody calls, then one probe decides. Pure, no I/O."""

import math
from collections.abc import Callable

_OPEN_S = 60.0
_LONGEST_PAUSE_S = 600.0
"""However long a provider asks to be left alone, it is probed every ten minutes."""


class CircuitBreaker:
    """Closed while calls succeed; open for a minute after ``failures`` in a row; then half open.

    ``clock`` returns seconds that only grow. Belongs to one event loop.
    """

    def __init__(self, clock: Callable[[], float], *, failures: int = 5) -> None:
        self._clock = clock
        self._failures = failures
        self._failed = 0
        self._opens_again = -math.inf
        self._probed_until = -math.inf
        self.answered = 0
        """Calls that the provider has answered so far."""

    def wait_s(self) -> float:
        """Seconds until a call may be made; 0 when it may be made now."""
        return max(self._opens_again - self._clock(), self._probe_wait_s() if self._half_open() else 0, 0)

    def begin(self) -> None:
        """A call is being made; while half open this one is the probe and others wait for what becomes of it."""
        if self._half_open():
            self._probed_until = self._clock() + _OPEN_S

    def succeeded(self) -> None:
        """Closes the circuit."""
        self.answered += 1
        self._failed = 0
        self._probed_until = -math.inf

    def failed(self, retry_after_s: float | None = None) -> None:
        """Counts; opens when there were too many, or at once for as long as the provider asked to be left alone."""
        self._failed += 1
        self._probed_until = -math.inf
        pause = _OPEN_S if self._failed >= self._failures else 0
        if retry_after_s:
            self._failed = max(self._failed, self._failures)
            pause = min(retry_after_s, _LONGEST_PAUSE_S)
        if pause:
            self._opens_again = max(self._opens_again, self._clock() + pause)

    def abandoned(self) -> None:
        """The call ended without telling anything about the provider (cancelled): the next one may probe."""
        self._probed_until = -math.inf

    def _half_open(self) -> bool:
        return self._failed >= self._failures

    def _probe_wait_s(self) -> float:
        return self._probed_until - self._clock()
