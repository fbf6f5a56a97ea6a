"""The redelivery rules of one subscription, as plain numbers the queue can obey.

Also the exponential backoff between two attempts.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RedeliveryPolicy:
    """What a subscription's settings mean to its queue; times in seconds."""

    minimum_backoff: float = 0.0
    maximum_backoff: float = 0.0
    max_delivery_attempts: int | None = None
    ordered: bool = False
    exactly_once: bool = False
    retain_acked: bool = False

    @property
    def remembers_failures(self) -> bool:
        """Whether the number of failed attempts changes what happens next."""
        return self.max_delivery_attempts is not None or self.maximum_backoff > 0

    def delay(self, failures: int) -> float:
        """Seconds to wait after that many failed attempts; 0 without a retry policy."""
        # 2**40 is past any backoff; larger exponents would overflow the float.
        return min(self.maximum_backoff, self.minimum_backoff * 2 ** min(failures - 1, 40))
