"""A live subscription: its queue driven by real time, its consumers woken in turn, its changes journaled.

Consumers ask with ``acquire`` and answer with ack ids; failures past the limit go to the dead-letter handler.
"""

import asyncio
import math
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from google.pubsub_v1 import types

from localcloud.pubsub.ack_ids import AckId, format_ack_id, parse_ack_ids
from localcloud.pubsub.changes import Batch
from localcloud.pubsub.deliveries import Entry, Failure, Lease
from localcloud.pubsub.errors import InvalidAckIdsError, PubSubError
from localcloud.pubsub.faults import Faults
from localcloud.pubsub.filters import compile_filter
from localcloud.pubsub.flow import FlowBudget
from localcloud.pubsub.journal import Journal
from localcloud.pubsub.message_store import MessageStore
from localcloud.pubsub.subscription_queue import SubscriptionQueue
from localcloud.pubsub.subscription_settings import redelivery_policy, retention
from localcloud.pubsub.wire import LARGEST_RESPONSE

MOST_MESSAGES = 1000
"""Messages in one answer."""


@dataclass(frozen=True, slots=True)
class Runtime:
    """What every subscription shares with the rest of the emulator."""

    journal: Journal
    store: MessageStore
    faults: Faults
    generations: Iterator[int]
    on_exhausted: Callable[["Subscription", Failure], None]


@dataclass(eq=False, slots=True)
class _Waiter:
    turn: asyncio.Future[None]
    budget: FlowBudget


class Subscription:
    """One subscription; methods run on the event loop."""

    def __init__(self, key: int, settings: types.Subscription, runtime: Runtime) -> None:
        self.key = key
        self.settings = settings
        self.accepts = compile_filter(settings.filter)
        self._runtime = runtime
        self._loop = asyncio.get_running_loop()
        self._queue = SubscriptionQueue(redelivery_policy(settings), runtime.generations)
        self._waiters: deque[_Waiter] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._closed: PubSubError | None = None

    @property
    def name(self) -> str:
        """``projects/P/subscriptions/S``."""
        return self.settings.name

    @property
    def exactly_once(self) -> bool:
        """Whether acknowledgements are confirmed or refused one by one."""
        return self._queue.policy.exactly_once

    @property
    def counts_attempts(self) -> bool:
        """Whether consumers are told the delivery attempt."""
        return self._queue.policy.max_delivery_attempts is not None

    def backlog(self) -> tuple[int, int | None]:
        """How many messages are not acknowledged, and when the oldest was published (microseconds)."""
        return self._queue.backlog()

    def configure(self, settings: types.Subscription) -> None:
        """Take over changed settings; waiting consumers notice at their next turn."""
        self.settings = settings
        self._queue.policy = redelivery_policy(settings)

    def enqueue(self, entries: Iterable[Entry]) -> None:
        """Messages arrive that are durable."""
        for entry in entries:
            delay = self._runtime.faults.delay()
            if delay:
                self._loop.call_later(delay, self._enqueue_one, entry)
            else:
                self._queue.add(entry)
        self._changed()

    async def acquire(self, budget: FlowBudget, max_messages: int, lease_seconds: float) -> list[Lease]:
        """Wait for messages and lease this consumer's share of them; raises when the subscription closes."""
        while True:
            if self._closed is not None:
                raise self._closed
            if leases := self._take(budget, max_messages, lease_seconds):
                return leases
            await self._wait_for_turn(budget)

    def acquire_now(self, budget: FlowBudget, max_messages: int, lease_seconds: float) -> list[Lease]:
        """Lease what is ready without waiting."""
        if self._closed is not None:
            raise self._closed
        return self._take(budget, max_messages, lease_seconds)

    def release(self, leases: Iterable[Lease]) -> None:
        """Give back what was leased but never sent."""
        for lease in leases:
            self._queue.release(AckId(lease.message_id, lease.generation))
        self._changed()

    async def acknowledge(self, ack_ids: Sequence[str]) -> None:
        """Settle messages; exactly-once waits for the disk and raises InvalidAckIdsError for stale ids."""
        acks = parse_ack_ids(self.key, ack_ids)
        accepted: list[int] = []
        refused: list[str] = []
        for ack, ack_id in zip(acks, ack_ids, strict=True):
            if self._runtime.faults.loses_ack(self.key, ack.message_id):
                self._loop.call_later(self._runtime.faults.delay(), self._repeat, ack)
            elif self._queue.acknowledge(ack):
                accepted.append(ack.message_id)
            else:
                refused.append(ack_id)
        batch = self._settled(accepted)
        self._changed()
        if not self.exactly_once:
            self._runtime.journal.defer(batch)
            return
        await asyncio.shield(self._runtime.journal.submit(batch))
        if refused:
            raise InvalidAckIdsError(refused)

    def modify(self, ack_ids: Sequence[str], seconds: Sequence[int]) -> None:
        """Move deadlines, 0 refuses a message; exactly-once raises InvalidAckIdsError for stale ids."""
        now = self._loop.time()
        acks = parse_ack_ids(self.key, ack_ids)
        refused = [
            ack_id
            for ack, ack_id, deadline in zip(acks, ack_ids, seconds, strict=True)
            if not self._queue.modify(ack, deadline, now)
        ]
        self._changed()
        if refused and self.exactly_once:
            raise InvalidAckIdsError(refused)

    async def seek(self, publish_time: int) -> None:
        """Move to a time (microseconds): before it everything is acknowledged, from it on nothing is."""
        result = self._queue.seek(publish_time)
        batch = self._settled(result.acked).revive(self.key, result.revived)
        self._changed()
        await asyncio.shield(self._runtime.journal.submit(batch))

    def expire(self, now: int) -> None:
        """Drop what is older than the retention (microseconds)."""
        cutoff = now - retention(self.settings)
        acked_before = cutoff if self._queue.policy.retain_acked else now
        expired = self._queue.past_retention(cutoff, acked_before)
        if expired:
            self._runtime.journal.defer(self.forget(expired))
        self._changed()

    def forget(self, message_ids: Sequence[int]) -> Batch:
        """Remove messages whatever their state; the batch removes them from disk."""
        removed = [message_id for message_id in message_ids if self._queue.remove(message_id)]
        batch = Batch().remove_deliveries(self.key, removed)
        self._runtime.store.release(removed, batch)
        self._changed()
        return batch

    def retry_dead(self, message_id: int) -> None:
        """The dead-letter topic is gone: keep trying here, at the slowest pace."""
        seconds = max(self._queue.policy.maximum_backoff, 10.0)
        self._queue.retry_dead(message_id, seconds, self._loop.time())
        self._changed()

    def close(self, reason: PubSubError) -> None:
        """End every consumer with this reason; nothing is delivered any more."""
        self._closed = reason
        if self._timer is not None:
            self._timer.cancel()
        for waiter in self._waiters:
            if not waiter.turn.done():
                waiter.turn.set_result(None)
        self._waiters.clear()

    def drop_messages(self) -> Batch:
        """Let go of every message, because the subscription is deleted or detached."""
        return self.forget(self._queue.message_ids)

    def _repeat(self, ack: AckId) -> None:
        self._queue.release(ack)
        self._changed()

    def _enqueue_one(self, entry: Entry) -> None:
        self._queue.add(entry)
        if self._closed is not None:
            self._runtime.journal.defer(self.forget([entry.message_id]))
        self._changed()

    def _settled(self, message_ids: list[int]) -> Batch:
        if self._queue.policy.retain_acked:
            return Batch().mark_acked(self.key, message_ids)
        batch = Batch().remove_deliveries(self.key, message_ids)
        self._runtime.store.release(message_ids, batch)
        return batch

    def _take(self, budget: FlowBudget, max_messages: int, lease_seconds: float) -> list[Lease]:
        share = math.ceil(self._queue.ready_estimate / (1 + len(self._waiters)))
        most = min(max_messages, MOST_MESSAGES, max(share, 1))
        leases = self._queue.take(self._loop.time(), budget, most, LARGEST_RESPONSE, lease_seconds)
        self._changed()
        return leases

    async def _wait_for_turn(self, budget: FlowBudget) -> None:
        waiter = _Waiter(self._loop.create_future(), budget)
        self._waiters.append(waiter)
        try:
            await waiter.turn
        except asyncio.CancelledError:
            if waiter in self._waiters:
                self._waiters.remove(waiter)
            else:
                # The turn had been given to this consumer, who will not use it.
                self.wake()
            raise

    def wake(self) -> None:
        """Give the turn to the longest waiting consumer that can hold the next message."""
        size = self._queue.next_size
        if size is None:
            return
        for waiter in self._waiters:
            if waiter.budget.fits(size):
                self._waiters.remove(waiter)
                if not waiter.turn.done():
                    waiter.turn.set_result(None)
                return

    def _changed(self) -> None:
        """After every step of the queue: journal failures, re-arm the timer, wake a consumer."""
        failures = self._queue.drain_failures()
        if failures:
            counts = [(failure.message_id, failure.failures) for failure in failures]
            self._runtime.journal.defer(Batch().set_failures(self.key, counts))
        for failure in failures:
            if failure.exhausted:
                self._runtime.on_exhausted(self, failure)
        if self._closed is None:
            self._arm()
            self.wake()

    def _arm(self) -> None:
        due = self._queue.next_due
        if due is None or (self._timer is not None and self._timer.when() <= due):
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_at(due, self._on_timer)

    def _on_timer(self) -> None:
        self._timer = None
        self._queue.advance(self._loop.time())
        self._changed()


def ack_id_of(subscription: Subscription, lease: Lease) -> str:
    """The ack id under which a lease is answered."""
    return format_ack_id(subscription.key, lease.message_id, lease.generation)
