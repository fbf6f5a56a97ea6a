"""Flow control of one consumer: how many messages and bytes it may hold unacknowledged.

Pure bookkeeping, from limits and sizes to whether one more message fits.
"""


class FlowBudget:
    """Outstanding messages and bytes against their limits; 0 or less means unlimited."""

    def __init__(self, max_messages: int = 0, max_bytes: int = 0) -> None:
        self._max_messages = max_messages
        self._max_bytes = max_bytes
        self.messages = 0
        self.bytes = 0

    def fits(self, size: int) -> bool:
        """Whether one more message may go out; a lone message always may, however large it is."""
        if self.messages == 0:
            return True
        if 0 < self._max_messages <= self.messages:
            return False
        return self._max_bytes <= 0 or self.bytes + size <= self._max_bytes

    def hold(self, size: int) -> None:
        """One message of ``size`` bytes went out."""
        self.messages += 1
        self.bytes += size

    def give_back(self, size: int) -> None:
        """It was acknowledged, refused or its lease ended."""
        self.messages -= 1
        self.bytes -= size
