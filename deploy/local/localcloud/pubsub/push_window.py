"""How many push requests may be under way: slow start upwards, halved by failures, and a pause when all fail.

Pure arithmetic on the outcomes of requests.
"""

LARGEST_WINDOW = 64
_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 60.0


class PushWindow:
    """Doubles per round of successes, halves at a failure."""

    def __init__(self) -> None:
        self.size = 1
        self._failures_in_a_row = 0

    def succeeded(self) -> None:
        """A request was acknowledged."""
        self.size = min(self.size + 1, LARGEST_WINDOW)
        self._failures_in_a_row = 0

    def failed(self) -> None:
        """A request was refused or timed out."""
        self.size = max(self.size // 2, 1)
        self._failures_in_a_row += 1

    @property
    def pause(self) -> float:
        """Seconds to leave an endpoint alone that has only failed lately."""
        if not self._failures_in_a_row:
            return 0.0
        return min(_FIRST_PAUSE * 2 ** min(self._failures_in_a_row - 1, 20), _LONGEST_PAUSE)
