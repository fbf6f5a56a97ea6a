"""Messages held and settled into what the broker is told next: acks, refusals and extensions in one request."""

from collections.abc import Callable

from google.pubsub_v1.types import StreamingPullRequest

from eventing.delivery import Ack, Settlement

LEASE_S = 60
"""How long a message is ours without a further word; the broker's default of 10 s starves under load."""

EXTEND_EVERY_S = 20.0
"""Leaves two more chances to extend a lease before it ends. Also the heartbeat of a stream that has nothing to say."""


class Leases:
    """Of one subscription. ``clock`` returns seconds that only grow."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._held: set[str] = set()
        self._acks: list[str] = []
        self._deadlines: dict[str, int] = {}
        self._extend_at = clock() + EXTEND_EVERY_S

    def hold(self, ack_id: str) -> None:
        """A message came; its lease is extended until it is settled."""
        self._held.add(ack_id)

    def settle(self, ack_id: str, settlement: Settlement) -> None:
        """A message is done with, or to come again: letting the lease end after the delay is a nack that waits."""
        self._held.discard(ack_id)
        if isinstance(settlement, Ack):
            self._acks.append(ack_id)
        else:
            self._deadlines[ack_id] = round(settlement.delay_s)

    def due_in_s(self) -> float:
        """Seconds until something must be said even if nothing is settled."""
        return max(self._extend_at - self._clock(), 0.0)

    def take(self) -> StreamingPullRequest:
        """Everything to be told now; empty it is a heartbeat."""
        if not self.due_in_s():
            self._deadlines |= dict.fromkeys(self._held, LEASE_S)
            self._extend_at = self._clock() + EXTEND_EVERY_S
        request = StreamingPullRequest(
            ack_ids=self._acks,
            modify_deadline_ack_ids=list(self._deadlines),
            modify_deadline_seconds=list(self._deadlines.values()),
        )
        self._acks, self._deadlines = [], {}
        return request
