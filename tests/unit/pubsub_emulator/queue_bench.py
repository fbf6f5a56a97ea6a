"""A subscription queue with its clock and one consumer, for tests that move time themselves."""

import itertools

from localcloud.pubsub.ack_ids import AckId
from localcloud.pubsub.deliveries import Entry, Lease
from localcloud.pubsub.flow import FlowBudget
from localcloud.pubsub.redelivery import RedeliveryPolicy
from localcloud.pubsub.subscription_queue import SubscriptionQueue

LEASE = 10.0


class Bench:
    """A queue, its clock and one consumer."""

    def __init__(self, budget: FlowBudget | None = None, **policy) -> None:
        self.queue = SubscriptionQueue(RedeliveryPolicy(**policy), itertools.count(1))
        self.budget = budget or FlowBudget()
        self.now = 1000.0

    def add(self, *ids: int, key: str = "", size: int = 10) -> None:
        for message_id in ids:
            self.queue.add(Entry(message_id, size, key))

    def take(self, most: int = 100, budget: FlowBudget | None = None, max_bytes: int = 10**9) -> list[Lease]:
        return self.queue.take(self.now, budget or self.budget, most, max_bytes, LEASE)

    def ids(self, most: int = 100) -> list[int]:
        return [lease.message_id for lease in self.take(most)]

    def ack(self, lease: Lease) -> bool:
        return self.queue.acknowledge(AckId(lease.message_id, lease.generation))

    def modify(self, lease: Lease, seconds: float) -> bool:
        return self.queue.modify(AckId(lease.message_id, lease.generation), seconds, self.now)

    def nack(self, lease: Lease) -> bool:
        return self.modify(lease, 0)

    def pass_time(self, seconds: float) -> None:
        self.now += seconds
        self.queue.advance(self.now)
