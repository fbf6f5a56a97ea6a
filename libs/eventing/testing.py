"""A broker in memory with Pub/Sub's rules, for tests of handlers and pipelines without processes.

It passes the suite that the pull and push doors pass against the emulator (``tests/conformance/eventing``).
"""

import itertools
import re
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from contracts.topology import DEAD_LETTER_SOURCE, DEAD_LETTER_TOPIC
from eventing.codec import DEAD_LETTER_COUNT
from eventing.delivery import Ack, Delivery
from eventing.publisher import MessageRefusedError
from eventing.runtime import Runtime

_LONGEST_ATTRIBUTE = 1024
_EQUALS = re.compile(r'attributes\."?([^"\s=]+)"?\s*=\s*"([^"]*)"')


@dataclass(frozen=True)
class Published:
    """A message as it was published."""

    topic: str
    data: bytes
    attributes: Mapping[str, str]


@dataclass
class _Queue:
    runtime: Runtime
    waiting: deque[Delivery] = field(default_factory=deque[Delivery])


class MemoryBroker:
    """Publishes to attached runtimes; delivers when told to (:meth:`drain`), retries at once, dead-letters."""

    def __init__(self) -> None:
        self.published: list[Published] = []
        self._queues: list[_Queue] = []
        self._ids = itertools.count(1)

    def attach(self, consumed: Sequence[Runtime]) -> None:
        """Subscribes runtimes to the topics of their events."""
        self._queues += [_Queue(runtime) for runtime in consumed]

    async def publish(self, topic: str, data: bytes, attributes: Mapping[str, str]) -> None:
        """See :class:`eventing.publisher.Publisher`."""
        if any(len(value.encode()) > _LONGEST_ATTRIBUTE for value in attributes.values()):
            raise MessageRefusedError("an attribute is too long")
        self.published.append(Published(topic, data, dict(attributes)))
        for queue in self._queues:
            subscription = queue.runtime.subscription
            if subscription.event.topic() == topic and _matches(subscription.filter, attributes):
                queue.waiting.append(
                    Delivery(str(next(self._ids)), data, dict(attributes), datetime.now(UTC), attempt=1)
                )

    async def drain(self) -> None:
        """Delivers until every queue is empty."""
        while busy := [queue for queue in self._queues if queue.waiting]:
            for queue in busy:
                await self._deliver(queue, queue.waiting.popleft())

    def on(self, topic: str) -> list[Published]:
        """What was published on a topic so far."""
        return [message for message in self.published if message.topic == topic]

    async def _deliver(self, queue: _Queue, delivery: Delivery) -> None:
        settlement = await queue.runtime.process(delivery)
        if isinstance(settlement, Ack):
            return
        attempt = delivery.attempt or 1
        subscription = queue.runtime.subscription
        if attempt >= subscription.retry.max_deliveries:
            source = {DEAD_LETTER_SOURCE: subscription.name, DEAD_LETTER_COUNT: str(attempt)}
            await self.publish(DEAD_LETTER_TOPIC, delivery.data, {**delivery.attributes, **source})
            return
        queue.waiting.append(
            Delivery(
                delivery.message_id, delivery.data, delivery.attributes, delivery.publish_time, attempt=attempt + 1
            )
        )


def _matches(filter_expression: str, attributes: Mapping[str, str]) -> bool:
    if not filter_expression:
        return True
    parsed = _EQUALS.fullmatch(filter_expression)
    if parsed is None:
        raise ValueError(f"the memory broker knows only equality filters, not {filter_expression}")
    return attributes.get(parsed[1]) == parsed[2]
