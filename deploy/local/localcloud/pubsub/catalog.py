"""Topics and subscriptions: created, changed, listed, deleted; every change durable before it is confirmed.

Memory changes first and the journal keeps the order; a disk that refuses a write stops the emulator.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from google.pubsub_v1 import types

from localcloud.pubsub import names
from localcloud.pubsub.changes import Batch
from localcloud.pubsub.deliveries import Entry, State
from localcloud.pubsub.errors import (
    AlreadyExistsError,
    FailedPreconditionError,
    NotFoundError,
    PubSubError,
)
from localcloud.pubsub.schema import StoredState
from localcloud.pubsub.subscription import Runtime, Subscription
from localcloud.pubsub.subscription_settings import check_subscription_settings


@dataclass(eq=False, slots=True)
class Topic:
    """A topic and the subscriptions that get its messages, by key."""

    settings: types.Topic
    subscriptions: dict[int, Subscription] = field(default_factory=dict[int, Subscription])


class Catalog:
    """Every topic and subscription by name."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._last_key = 0
        self._on_change: Callable[[Subscription], None] = lambda _subscription: None
        self.topics: dict[str, Topic] = {}
        self.subscriptions: dict[str, Subscription] = {}
        self._by_key: dict[int, Subscription] = {}

    def watch(self, on_change: Callable[[Subscription], None]) -> None:
        """Report every subscription from now on when it appears, changes or goes."""
        self._on_change = on_change
        for subscription in self.subscriptions.values():
            on_change(subscription)

    def load(self, state: StoredState) -> None:
        """Take over what was durable; everything unacknowledged is delivered again."""
        self._last_key = state.last_key
        for name, settings in state.topics.items():
            self.topics[name] = Topic(_topic(settings))
        for stored in state.subscriptions:
            self._register(stored.key, _subscription(stored.settings))
        arriving: dict[int, list[Entry]] = {}
        for delivery in state.deliveries:
            entry = Entry(delivery.message, delivery.size, delivery.ordering_key, delivery.failures)
            entry.state = State.ACKED if delivery.acked else State.READY
            self._runtime.store.restore(delivery.message)
            arriving.setdefault(delivery.subscription, []).append(entry)
        for key, entries in arriving.items():
            self._by_key[key].enqueue(entries)

    def topic(self, name: str) -> Topic:
        """The topic, or NotFoundError."""
        topic = self.topics.get(names.check_topic(name))
        if topic is None:
            raise NotFoundError(f"Resource not found (resource={name}).")
        return topic

    def subscription(self, name: str) -> Subscription:
        """The subscription, or NotFoundError."""
        subscription = self.subscriptions.get(names.check_subscription(name))
        if subscription is None:
            raise NotFoundError(f"Resource not found (resource={name}).")
        return subscription

    def by_key(self, key: int) -> Subscription | None:
        """The subscription with this key if it still exists."""
        return self._by_key.get(key)

    async def create_topic(self, settings: types.Topic) -> None:
        """Add a checked topic; AlreadyExistsError."""
        if settings.name in self.topics:
            raise AlreadyExistsError(f"Topic already exists: {settings.name}")
        self.topics[settings.name] = Topic(settings)
        await self._save(Batch().put_topic(settings.name, types.Topic.serialize(settings)))

    async def update_topic(self, settings: types.Topic) -> None:
        """Replace the settings of an existing topic."""
        self.topic(settings.name).settings = settings
        await self._save(Batch().put_topic(settings.name, types.Topic.serialize(settings)))

    async def delete_topic(self, name: str) -> None:
        """Remove a topic; its subscriptions keep what they hold."""
        topic = self.topic(name)
        del self.topics[name]
        batch = Batch().delete_topic(name)
        for subscription in topic.subscriptions.values():
            subscription.settings.topic = names.DELETED_TOPIC
            batch.then(_put(subscription))
        await self._save(batch)

    async def create_subscription(self, settings: types.Subscription) -> None:
        """Add a checked subscription to its topic; NotFoundError, AlreadyExistsError."""
        if settings.name in self.subscriptions:
            raise AlreadyExistsError(f"Subscription already exists: {settings.name}")
        self.topic(settings.topic)
        self._check_dead_letter_topic(settings)
        self._last_key += 1
        subscription = self._register(self._last_key, settings)
        self._on_change(subscription)
        await self._save(_put(subscription))

    async def update_subscription(self, settings: types.Subscription) -> None:
        """Replace the settings of an existing subscription by checked ones."""
        subscription = self.subscription(settings.name)
        self._check_dead_letter_topic(settings)
        subscription.configure(check_subscription_settings(settings))
        self._on_change(subscription)
        await self._save(_put(subscription))

    async def delete_subscription(self, name: str) -> None:
        """Remove a subscription and end its consumers with NOT_FOUND."""
        subscription = self.subscription(name)
        batch = self._cut_off(subscription, NotFoundError(f"Resource not found (resource={name})."))
        del self.subscriptions[name]
        del self._by_key[subscription.key]
        await self._save(batch.delete_subscription(subscription.key))

    async def detach_subscription(self, name: str) -> None:
        """Keep a subscription's name, but take its topic and messages away."""
        subscription = self.subscription(name)
        subscription.settings.detached = True
        batch = self._cut_off(subscription, detached_error(name))
        await self._save(batch.then(_put(subscription)))

    def close(self, reason: PubSubError) -> None:
        """End every consumer of every subscription."""
        for subscription in self.subscriptions.values():
            subscription.close(reason)

    def _register(self, key: int, settings: types.Subscription) -> Subscription:
        subscription = Subscription(key, settings, self._runtime)
        self.subscriptions[settings.name] = subscription
        self._by_key[key] = subscription
        if settings.detached:
            subscription.close(detached_error(settings.name))
        elif settings.topic in self.topics:
            self.topics[settings.topic].subscriptions[key] = subscription
        return subscription

    def _check_dead_letter_topic(self, settings: types.Subscription) -> None:
        if "dead_letter_policy" in settings:
            self.topic(settings.dead_letter_policy.dead_letter_topic)

    def _cut_off(self, subscription: Subscription, reason: PubSubError) -> Batch:
        topic = self.topics.get(subscription.settings.topic)
        if topic is not None:
            topic.subscriptions.pop(subscription.key, None)
        subscription.close(reason)
        self._on_change(subscription)
        return subscription.drop_messages()

    async def _save(self, batch: Batch) -> None:
        # Shielded: a caller that hangs up must not cancel a change others already see.
        await asyncio.shield(self._runtime.journal.submit(batch))


def detached_error(name: str) -> FailedPreconditionError:
    """Why nothing can be pulled from a detached subscription."""
    return FailedPreconditionError(f"Subscription is detached from its topic (resource={name}).")


def _put(subscription: Subscription) -> Batch:
    settings = types.Subscription.serialize(subscription.settings)
    return Batch().put_subscription(subscription.key, subscription.name, settings)


def _topic(settings: bytes) -> types.Topic:
    return types.Topic.wrap(types.Topic.pb().FromString(settings))


def _subscription(settings: bytes) -> types.Subscription:
    return types.Subscription.wrap(types.Subscription.pb().FromString(settings))
