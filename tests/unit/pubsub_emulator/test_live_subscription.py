"""A subscription in real time: turns of waiting consumers, retention, closing."""

import asyncio
import itertools
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from google.pubsub_v1 import types

from localcloud.pubsub.deliveries import Entry
from localcloud.pubsub.errors import NotFoundError
from localcloud.pubsub.faults import Faults
from localcloud.pubsub.flow import FlowBudget
from localcloud.pubsub.journal import Journal
from localcloud.pubsub.message_store import MessageStore
from localcloud.pubsub.subscription import Runtime, Subscription

NAME = "projects/proj-1/subscriptions/sub"


class Live:
    """A subscription and what it runs on."""

    def __init__(self, journal: Journal) -> None:
        self.store = MessageStore(journal)
        runtime = Runtime(journal, self.store, Faults(), itertools.count(1), lambda subscription, failure: None)
        settings = types.Subscription(name=NAME, message_retention_duration=timedelta(hours=1))
        self.subscription = Subscription(1, settings, runtime)

    def publish(self, *ids: int) -> None:
        for message_id in ids:
            self.store.hold(message_id, 1, b"x")
        self.subscription.enqueue([Entry(message_id, 1) for message_id in ids])

    def consumer(self, budget: FlowBudget | None = None) -> asyncio.Task[list[int]]:
        async def take() -> list[int]:
            leases = await self.subscription.acquire(budget or FlowBudget(), 100, 60)
            return [lease.message_id for lease in leases]

        return asyncio.create_task(take())


@pytest.fixture
async def live(tmp_path: Path) -> AsyncIterator[Live]:
    journal = Journal(tmp_path / "db", pytest.fail)
    live = Live(journal)
    yield live
    live.subscription.close(NotFoundError("gone"))
    await journal.close()


async def test_waiting_consumers_share_what_arrives(live: Live) -> None:
    consumers = [live.consumer() for _ in range(3)]
    await asyncio.sleep(0)
    live.publish(*range(1, 10))
    assert sorted(len(got) for got in await asyncio.gather(*consumers)) == [3, 3, 3]


async def test_a_cancelled_consumer_passes_its_turn_on(live: Live) -> None:
    first, second = live.consumer(), live.consumer()
    await asyncio.sleep(0)
    live.publish(1)
    first.cancel()
    assert await asyncio.wait_for(second, 10) == [1]


async def test_a_full_consumer_does_not_block_the_next(live: Live) -> None:
    full = FlowBudget(1)
    full.hold(1)
    blocked, free = live.consumer(full), live.consumer()
    await asyncio.sleep(0)
    live.publish(1)
    assert await asyncio.wait_for(free, 10) == [1]
    assert not blocked.done()
    blocked.cancel()


async def test_closing_ends_every_consumer(live: Live) -> None:
    consumers = [live.consumer(), live.consumer()]
    await asyncio.sleep(0)
    live.subscription.close(NotFoundError("gone"))
    results = await asyncio.gather(*consumers, return_exceptions=True)
    assert [type(result) for result in results] == [NotFoundError, NotFoundError]


async def test_messages_past_their_retention_are_dropped(live: Live) -> None:
    now = time.time_ns() // 1000
    old, young = now - 3601 * 1_000_000, now
    live.publish(old, young)
    live.subscription.expire(now)
    assert await live.consumer() == [young]
    assert live.store.cached_bytes == len(b"x")
