"""The disk: group commit in order, refusal of writes, bodies that left the cache, what start cleans up."""

import contextlib
import sqlite3
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from localcloud.pubsub.changes import Batch
from localcloud.pubsub.errors import OverloadedError, UnavailableError
from localcloud.pubsub.journal import Journal, open_database
from localcloud.pubsub.message_store import MessageStore
from localcloud.pubsub.schema import StoredState, load_state


class Disk:
    """A journal and the failures it reported."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.failures: list[BaseException] = []
        self.journal = Journal(path, self.failures.append)

    def state(self) -> StoredState:
        with contextlib.closing(open_database(self.path)) as database:
            return load_state(database)


@pytest.fixture
async def disk(tmp_path: Path) -> AsyncIterator[Disk]:
    disk = Disk(tmp_path / "with space #1.db")
    yield disk
    await disk.journal.close()


def published(message_id: int, *subscriptions: int, body: bytes = b"body") -> Batch:
    deliveries = [(key, message_id) for key in subscriptions]
    return Batch().add_messages([(message_id, "projects/p/topics/t", "", body)], deliveries)


async def test_deferred_changes_are_written_before_what_follows(disk: Disk) -> None:
    await disk.journal.submit(Batch().put_subscription(1, "s", b""))
    await disk.journal.submit(published(1, 1))
    disk.journal.defer(Batch().set_failures(1, [(1, 3)]))
    await disk.journal.submit(published(2, 1))
    assert [(d.message, d.failures) for d in disk.state().deliveries] == [(1, 3), (2, 0)]


async def test_close_writes_what_was_deferred(tmp_path: Path) -> None:
    disk = Disk(tmp_path / "db")
    disk.journal.defer(Batch().put_topic("t", b"settings"))
    await disk.journal.close()
    assert disk.state().topics == {"t": b"settings"}


async def test_after_a_refused_write_nothing_is_accepted(disk: Disk) -> None:
    await disk.journal.submit(published(1, 1))
    first = disk.journal.submit(published(1, 1))
    # Blocks the loop, so that the second batch is accepted before the loop hears of the refusal.
    time.sleep(0.2)
    second = disk.journal.submit(published(2, 1))
    with pytest.raises(UnavailableError):
        await first
    with pytest.raises(UnavailableError):
        await second
    assert [type(failure) for failure in disk.failures] == [sqlite3.IntegrityError]
    with pytest.raises(UnavailableError):
        disk.journal.submit(published(3, 1))


async def test_too_much_waiting_for_the_disk_is_refused(disk: Disk) -> None:
    batch = published(1, 1)
    batch.size = 128 * 1024 * 1024 + 1
    with pytest.raises(OverloadedError):
        disk.journal.submit(batch)
    await disk.journal.submit(published(2, 1))


async def test_bodies_beyond_the_cache_come_from_disk(disk: Disk) -> None:
    store = MessageStore(disk.journal, cache_bytes=10)
    for message_id, body in ((1, b"first"), (2, b"second"), (3, b"third")):
        await disk.journal.submit(published(message_id, 1, body=body))
        store.hold(message_id, 1, body)
    assert store.cached_bytes <= 10
    assert await store.bodies([1, 2, 3, 4]) == {1: b"first", 2: b"second", 3: b"third"}
    batch = Batch()
    store.release([1, 2, 3], batch)
    assert store.cached_bytes == 0
    await disk.journal.submit(batch)
    assert await store.bodies([1, 2, 3]) == {}


async def test_a_message_is_deleted_when_its_last_subscription_is_done(disk: Disk) -> None:
    store = MessageStore(disk.journal)
    store.hold(1, 2, b"x")
    first, second = Batch(), Batch()
    store.release([1], first)
    store.release([1], second)
    assert not first
    assert second


async def test_start_removes_what_nobody_waits_for(disk: Disk) -> None:
    await disk.journal.submit(Batch().put_subscription(1, "s", b"").put_subscription(2, "gone", b""))
    await disk.journal.submit(published(1, 1).then(published(2, 2)).then(published(3)))
    await disk.journal.submit(Batch().delete_subscription(2).then(published(4, 2)))
    state = disk.state()
    assert [delivery.message for delivery in state.deliveries] == [1]
    assert await disk.journal.read_bodies([1, 2, 3, 4]) == {1: b"body"}
    assert state.last_key == 2
