"""Injected delivery faults for fault tests: acknowledgements get lost, arrivals are late and shuffled.

Set over gRPC (``mmsearch.localcloud.Faults/Set`` with JSON); off unless somebody sets them.
"""

import random

from pydantic import BaseModel, ConfigDict, Field


class FaultSettings(BaseModel):
    """deliveries: how often every subscription gets each message; max_delay: seconds, uniformly at random."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    deliveries: int = Field(default=1, ge=1, le=10)
    max_delay: float = Field(default=0.0, ge=0.0, le=60.0)


class Faults:
    """What subscriptions ask at each arrival and each acknowledgement."""

    def __init__(self) -> None:
        self._settings = FaultSettings()
        self._lost: dict[tuple[int, int], int] = {}

    def set(self, settings: FaultSettings) -> None:
        """Replace the settings; counts start over."""
        self._settings = settings
        self._lost.clear()

    def delay(self) -> float:
        """Seconds by which an arrival or a repetition is held back."""
        most = self._settings.max_delay
        return random.uniform(0.0, most) if most else 0.0  # noqa: S311

    def loses_ack(self, subscription_key: int, message_id: int) -> bool:
        """Whether this acknowledgement is to get lost, so that the message is delivered once more."""
        lost = self._lost.get((subscription_key, message_id), 0) + 1
        if lost >= self._settings.deliveries:
            self._lost.pop((subscription_key, message_id), None)
            return False
        self._lost[subscription_key, message_id] = lost
        return True
