"""Messages on their way: a publish fans out to the subscriptions, a dead letter moves to its topic.

Consumers see a message only once it is durable.
"""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from localcloud.pubsub import names
from localcloud.pubsub.catalog import Catalog, Topic
from localcloud.pubsub.changes import Batch
from localcloud.pubsub.deliveries import Entry, Failure
from localcloud.pubsub.errors import PubSubError
from localcloud.pubsub.journal import Journal
from localcloud.pubsub.message_store import MessageStore
from localcloud.pubsub.subscription import Subscription
from localcloud.pubsub.wire import RawMessage, parse_body, stored_body

_SWEEP_SECONDS = 60.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Publication:
    """What one publish request means: bodies to keep and entries per subscription key."""

    bodies: list[tuple[int, str, str, bytes]] = field(default_factory=list[tuple[int, str, str, bytes]])
    references: dict[int, int] = field(default_factory=dict[int, int])
    entries: dict[int, list[Entry]] = field(default_factory=dict[int, list[Entry]])

    def batch(self) -> Batch:
        deliveries = [(key, entry.message_id) for key, entries in self.entries.items() for entry in entries]
        return Batch().add_messages(self.bodies, deliveries)


class Broker:
    """Publishes, dead-letters and expires messages."""

    def __init__(self, journal: Journal, store: MessageStore, catalog: Catalog) -> None:
        self._journal = journal
        self._store = store
        self._catalog = catalog
        self._tasks: set[asyncio.Task[None]] = set()

    async def publish(self, topic_name: str, messages: Sequence[RawMessage]) -> list[str]:
        """Store checked messages and hand them to the topic's subscriptions; their ids once durable."""
        topic = self._catalog.topic(topic_name)
        publication = _Publication()
        ids = [self._add(publication, topic_name, topic, message) for message in messages]
        await self._write(publication)
        return [str(message_id) for message_id in ids]

    def dead_letter(self, subscription: Subscription, failure: Failure) -> None:
        """Move an exhausted message to its dead-letter topic, in the background."""
        task = asyncio.create_task(self._dead_letter(subscription, failure))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def expire_messages(self) -> None:
        """Drop what is past its retention, for ever, once a minute."""
        while True:
            await asyncio.sleep(_SWEEP_SECONDS)
            now = self._store.next_id()
            for subscription in list(self._catalog.subscriptions.values()):
                subscription.expire(now)

    async def close(self) -> None:
        """Finish the dead letters under way."""
        await asyncio.gather(*self._tasks)

    def _add(self, publication: _Publication, name: str, topic: Topic, message: RawMessage) -> int:
        message_id = self._store.next_id()
        attributes = dict(message.attributes)
        takers = [key for key, each in topic.subscriptions.items() if each.accepts(attributes)]
        if takers:
            body = stored_body(message, message_id)
            publication.bodies.append((message_id, name, message.ordering_key, body))
            publication.references[message_id] = len(takers)
            for key in takers:
                entry = Entry(message_id, len(body), message.ordering_key)
                publication.entries.setdefault(key, []).append(entry)
        return message_id

    async def _write(self, publication: _Publication) -> None:
        batch = publication.batch()
        if not batch:
            return
        durable = self._journal.submit(batch)
        # A callback and not the code after the await: the publisher may hang up while the disk works.
        durable.add_done_callback(lambda done: None if done.exception() else self._deliver(publication))
        await asyncio.shield(durable)

    def _deliver(self, publication: _Publication) -> None:
        for message_id, _, _, body in publication.bodies:
            self._store.hold(message_id, publication.references[message_id], body)
        for key, entries in publication.entries.items():
            subscription = self._catalog.by_key(key)
            if subscription is None or subscription.settings.detached:
                batch = Batch()
                self._store.release([entry.message_id for entry in entries], batch)
                self._journal.defer(batch)
            else:
                subscription.enqueue(entries)

    async def _dead_letter(self, subscription: Subscription, failure: Failure) -> None:
        try:
            await self._move(subscription, failure)
        except PubSubError as refusal:
            _log.warning("message %s stays in %s: %s", failure.message_id, subscription.name, refusal)
            subscription.retry_dead(failure.message_id)

    async def _move(self, subscription: Subscription, failure: Failure) -> None:
        bodies = await self._store.bodies([failure.message_id])
        policy = subscription.settings.dead_letter_policy
        topic = self._catalog.topic(policy.dead_letter_topic)
        if failure.message_id not in bodies:
            return
        message = _dead_letter(parse_body(bodies[failure.message_id]), subscription.name, failure)
        publication = _Publication()
        self._add(publication, policy.dead_letter_topic, topic, message)
        # In this order a crash in between repeats the dead letter, which the contract allows, and loses none.
        await self._write(publication)
        self._journal.defer(subscription.forget([failure.message_id]))


def _dead_letter(message: RawMessage, subscription_name: str, failure: Failure) -> RawMessage:
    project, subscription_id = names.split(subscription_name)
    published = datetime.fromtimestamp(failure.message_id / 1_000_000, UTC)
    message.attributes["CloudPubSubDeadLetterSourceDeliveryCount"] = str(failure.failures)
    message.attributes["CloudPubSubDeadLetterSourceSubscription"] = subscription_id
    message.attributes["CloudPubSubDeadLetterSourceSubscriptionProject"] = project
    message.attributes["CloudPubSubDeadLetterSourceTopicPublishTime"] = published.isoformat(timespec="milliseconds")
    return message
