"""One subscription's messages as a state machine: ready, leased, backing off, dead, acked.

Time comes in as ``now`` (seconds of any monotonic clock); nothing here knows gRPC, disk or asyncio.
"""

import heapq
import math
from collections import deque
from collections.abc import Iterable, Iterator

from localcloud.pubsub.ack_ids import AckId
from localcloud.pubsub.deliveries import Entry, Failure, Lease, SeekResult, State
from localcloud.pubsub.flow import FlowBudget
from localcloud.pubsub.redelivery import RedeliveryPolicy


class SubscriptionQueue:
    """The queue; every method that may let time pass takes ``now``."""

    def __init__(self, policy: RedeliveryPolicy, generations: Iterator[int]) -> None:
        self.policy = policy
        self._generations = generations
        self._entries: dict[int, Entry] = {}
        self._ready: list[int] = []
        self._timers: list[tuple[float, int]] = []
        self._lanes: dict[str, deque[int]] = {}
        self._failures: list[Failure] = []

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def message_ids(self) -> list[int]:
        """Every message this queue still refers to, retained ones too."""
        return list(self._entries)

    def backlog(self) -> tuple[int, int | None]:
        """How many messages are not acknowledged, and the id (publish time) of the oldest."""
        waiting = [entry.message_id for entry in self._entries.values() if entry.state is not State.ACKED]
        return len(waiting), min(waiting, default=None)

    @property
    def ready_estimate(self) -> int:
        """How many messages wait for a consumer, at most."""
        return len(self._ready)

    @property
    def next_size(self) -> int | None:
        """Bytes of the message a consumer would get now, or None when nothing is ready."""
        entry = self._first_ready()
        return None if entry is None else entry.size

    @property
    def next_due(self) -> float | None:
        """When ``advance`` has something to do, or None."""
        return self._timers[0][0] if self._timers else None

    def add(self, entry: Entry) -> None:
        """A message arrives (ids ascend within an ordering key)."""
        self._entries[entry.message_id] = entry
        if entry.state is State.ACKED:
            return
        if self._in_lane(entry):
            lane = self._lanes.setdefault(entry.ordering_key, deque())
            lane.append(entry.message_id)
            if lane[0] != entry.message_id:
                return
        if self._is_exhausted(entry):
            # Read back after a crash between its last failure and its dead letter.
            entry.state = State.DEAD
            self._failures.append(Failure(entry.message_id, entry.failures, exhausted=True))
        else:
            self._offer(entry)

    def take(
        self, now: float, budget: FlowBudget, max_messages: int, max_bytes: int, lease_seconds: float
    ) -> list[Lease]:
        """Lease what is ready, oldest first, within the budget; at least one however large."""
        leases: list[Lease] = []
        total = 0
        while len(leases) < max_messages:
            entry = self._first_ready()
            if entry is None or not budget.fits(entry.size):
                break
            total += entry.size
            if leases and total > max_bytes:
                break
            leases.append(self._lease(entry, now + lease_seconds, budget))
        return leases

    def acknowledge(self, ack: AckId) -> bool:
        """Settle a message. A late ack counts until the message was handed out again, unless exactly-once."""
        entry = self._entries.get(ack.message_id)
        if entry is None or entry.state in {State.ACKED, State.DEAD}:
            return False
        held = entry.state is State.LEASED and ack.generation == entry.generation
        # After a restart the generation is 0: a consumer that still works on a message may ack it.
        late = entry.state is not State.LEASED and ack.generation >= entry.generation
        if not held and (self.policy.exactly_once or not late):
            return False
        self._settle(entry)
        return True

    def modify(self, ack: AckId, lease_seconds: float, now: float) -> bool:
        """Move the deadline; 0 gives the message back at once. False when the lease is not held."""
        entry = self._entries.get(ack.message_id)
        if entry is None or entry.state is not State.LEASED or entry.generation != ack.generation:
            return False
        if lease_seconds <= 0:
            self._fail(entry, now)
        else:
            entry.due = now + lease_seconds
            self._set_timer(entry)
        return True

    def release(self, ack: AckId) -> None:
        """Make a leased message ready again without counting a failure."""
        entry = self._entries.get(ack.message_id)
        if entry is not None and entry.generation == ack.generation and entry.state is State.LEASED:
            self._end_lease(entry)
            self._offer(entry)

    def advance(self, now: float) -> None:
        """Let deadlines and backoffs that are due take effect."""
        while self._timers and self._timers[0][0] <= now:
            at, message_id = heapq.heappop(self._timers)
            entry = self._entries.get(message_id)
            if entry is None or entry.timer != at:
                continue
            entry.timer = math.inf
            if entry.state not in {State.LEASED, State.BACKING_OFF}:
                continue
            if entry.due > now:
                self._set_timer(entry)
            elif entry.state is State.LEASED:
                self._fail(entry, now)
            else:
                self._offer(entry)

    def drain_failures(self) -> list[Failure]:
        """The failures since the last call, in order."""
        drained, self._failures = self._failures, []
        return drained

    def remove(self, message_id: int) -> bool:
        """Forget a message whatever its state (dead-lettered, or past its retention); False when unknown."""
        entry = self._entries.get(message_id)
        if entry is None:
            return False
        retained = entry.state is State.ACKED
        self._end_lease(entry)
        del self._entries[message_id]
        if not retained:
            self._leave_lane(entry)
        return True

    def retry_dead(self, message_id: int, seconds: float, now: float) -> None:
        """A message that could not be dead-lettered goes on being retried."""
        entry = self._entries.get(message_id)
        if entry is not None and entry.state is State.DEAD:
            self._back_off(entry, now + seconds)

    def seek(self, publish_time: int) -> SeekResult:
        """Ack everything published before (microseconds); bring back retained messages from then on."""
        result = SeekResult([], [])
        for entry in list(self._entries.values()):
            if entry.message_id < publish_time and entry.state is not State.ACKED:
                result.acked.append(entry.message_id)
                self._settle(entry)
            elif entry.message_id >= publish_time and entry.state is State.ACKED:
                result.revived.append(entry.message_id)
                entry.state, entry.failures = State.READY, 0
            elif self._in_lane(entry) and entry.state is State.LEASED:
                # Order starts over from the seek point: nothing of a key may stay ahead of it.
                self._end_lease(entry)
                entry.state = State.READY
        self._rebuild()
        return result

    def past_retention(self, unacked_before: int, acked_before: int) -> list[int]:
        """Ids published before these times (microseconds); the caller removes them."""
        return [
            entry.message_id
            for entry in self._entries.values()
            if entry.message_id < (acked_before if entry.state is State.ACKED else unacked_before)
        ]

    def _in_lane(self, entry: Entry) -> bool:
        return self.policy.ordered and entry.ordering_key != ""

    def _first_ready(self) -> Entry | None:
        while self._ready:
            entry = self._entries.get(self._ready[0])
            if entry is not None and entry.state is State.READY:
                return entry
            heapq.heappop(self._ready)
            if entry is not None:
                entry.queued = False
        return None

    def _offer(self, entry: Entry) -> None:
        entry.state = State.READY
        if not entry.queued:
            entry.queued = True
            heapq.heappush(self._ready, entry.message_id)

    def _lease(self, entry: Entry, due: float, budget: FlowBudget) -> Lease:
        heapq.heappop(self._ready)
        entry.queued = False
        entry.state = State.LEASED
        entry.generation = next(self._generations)
        entry.due = due
        entry.budget = budget
        budget.hold(entry.size)
        self._set_timer(entry)
        return Lease(entry.message_id, entry.generation, entry.failures + 1, entry.size)

    def _end_lease(self, entry: Entry) -> None:
        if entry.budget is not None:
            budget, entry.budget = entry.budget, None
            budget.give_back(entry.size)

    def _settle(self, entry: Entry) -> None:
        self._end_lease(entry)
        entry.state = State.ACKED
        if not self.policy.retain_acked:
            del self._entries[entry.message_id]
        self._leave_lane(entry)

    def _leave_lane(self, entry: Entry) -> None:
        lane = self._lanes.get(entry.ordering_key)
        if not self._in_lane(entry) or lane is None:
            return
        lane.remove(entry.message_id)
        if not lane:
            del self._lanes[entry.ordering_key]
            return
        head = self._entries[lane[0]]
        if head.state is State.READY:
            self._offer(head)

    def _is_exhausted(self, entry: Entry) -> bool:
        attempts = self.policy.max_delivery_attempts
        return attempts is not None and entry.failures >= attempts

    def _fail(self, entry: Entry, now: float) -> None:
        self._end_lease(entry)
        entry.failures += 1
        exhausted = self._is_exhausted(entry)
        if self.policy.remembers_failures:
            self._failures.append(Failure(entry.message_id, entry.failures, exhausted))
        delay = self.policy.delay(entry.failures)
        if exhausted:
            entry.state = State.DEAD
        elif delay > 0:
            self._back_off(entry, now + delay)
        else:
            self._offer(entry)

    def _back_off(self, entry: Entry, until: float) -> None:
        entry.state = State.BACKING_OFF
        entry.due = until
        self._set_timer(entry)

    def _set_timer(self, entry: Entry) -> None:
        # A deadline that moved later keeps its earlier timer, which re-arms itself when it fires.
        if entry.due >= entry.timer:
            return
        entry.timer = entry.due
        heapq.heappush(self._timers, (entry.due, entry.message_id))
        if len(self._timers) > 2 * len(self._entries) + 64:
            self._timers = [(at, i) for at, i in self._timers if self._timer_of(i) == at]
            heapq.heapify(self._timers)

    def _timer_of(self, message_id: int) -> float | None:
        entry = self._entries.get(message_id)
        return None if entry is None else entry.timer

    def _rebuild(self) -> None:
        entries: Iterable[Entry] = sorted(self._entries.values(), key=lambda entry: entry.message_id)
        self._ready, self._lanes = [], {}
        for entry in entries:
            entry.queued = False
            if entry.state is State.ACKED:
                continue
            heads = True
            if self._in_lane(entry):
                lane = self._lanes.setdefault(entry.ordering_key, deque())
                lane.append(entry.message_id)
                heads = lane[0] == entry.message_id
            if heads and entry.state is State.READY:
                self._offer(entry)
