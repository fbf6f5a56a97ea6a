"""Inbox, rows and outbox commit together; the relay publishes what is there, and a crash at any point loses nothing."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import MetaData, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.artifacts import Service
from contracts.envelope import Envelope, EventData
from contracts.events import MediaEmbeddedV1, MediaIndexedV1
from contracts.golden import EXAMPLES
from database.engine import Database, DatabaseUnavailableError
from eventing import codec
from eventing.consumer import ProjectionResources, runtimes
from eventing.delivery import Ack, Delivery, Nack
from eventing.handlers import Projection, StageInputs
from eventing.ledger import Ledger
from eventing.ledger_migration import LEDGER_TABLES
from eventing.publisher import BrokerUnavailableError
from eventing.relay import Relay
from eventing.runtime import Runtime
from eventing.testing import MemoryBroker
from objectstore.testing import MemoryObjectStore

EMBEDDED = next(e for e in EXAMPLES if isinstance(e, MediaEmbeddedV1))
OUTPUT = MediaIndexedV1.topic()


@pytest.fixture
async def database(admin_url: str) -> AsyncIterator[Database]:
    opened = Database(admin_url, "public")
    async with opened.transaction() as session:
        for statement in (*LEDGER_TABLES, "CREATE TABLE seen (upload_id text, tenant text)"):
            await session.execute(text(statement))
    yield opened
    await opened.close()


class Project:
    """A projection that writes one row per event it applies; ``fail`` makes it raise after writing."""

    def __init__(self) -> None:
        self.fail: Exception | None = None

    async def __call__(
        self, envelope: Envelope[Any], session: AsyncSession, inputs: StageInputs
    ) -> Sequence[EventData]:
        tenant = (await session.execute(text("SELECT current_setting('app.user_id')"))).scalar_one()
        row = {"u": envelope.data.upload.upload_id, "t": tenant}
        await session.execute(text("INSERT INTO seen VALUES (:u, :t)"), row)
        if self.fail:
            raise self.fail
        event = envelope.data
        return [MediaIndexedV1(upload=event.upload, model_id=event.model_id, passage_count=event.passage_count)]


def build(database: Database, project: Project, broker: MemoryBroker) -> tuple[Runtime, Relay]:
    ledger = Ledger(MetaData())
    relay = Relay(database, ledger, broker)
    projection = Projection(Service.SEARCH, MediaEmbeddedV1, lambda e: e.upload.user_id, project)
    resources = ProjectionResources(database, ledger, relay)
    return runtimes([projection], broker, MemoryObjectStore(), "artifacts", resources)[0], relay


def delivery(event_id: str = "e1", attempt: int = 1) -> Delivery:
    stored = codec.encode(EMBEDDED, event_id=event_id, source=Service.EMBEDDER, time=datetime.now(UTC), trace={})
    return Delivery("1", stored.data.encode(), stored.attributes, datetime.now(UTC), attempt)


async def count(database: Database, table: str) -> int:
    async with database.transaction() as session:
        return (await session.execute(select(func.count()).select_from(text(table)))).scalar_one()


async def test_a_duplicate_changes_nothing_and_announces_nothing(database: Database) -> None:
    broker = MemoryBroker()
    consumer, relay = build(database, Project(), broker)
    settled = await asyncio.gather(*(consumer.process(delivery()) for _ in range(5)))
    assert settled == [Ack()] * 5
    assert await relay.publish_batch() == 1
    assert await relay.publish_batch() == 0
    assert len(broker.on(OUTPUT)) == await count(database, "seen") == 1


async def test_the_transaction_is_bound_to_the_events_owner(database: Database) -> None:
    consumer, _ = build(database, Project(), MemoryBroker())
    await consumer.process(delivery())
    async with database.transaction() as session:
        assert (await session.execute(text("SELECT tenant FROM seen"))).scalar_one() == EMBEDDED.upload.user_id


async def test_a_failing_handler_leaves_no_row_no_inbox_and_no_event(database: Database) -> None:
    project, broker = Project(), MemoryBroker()
    consumer, relay = build(database, project, broker)
    project.fail = ValueError("a defect")
    assert await consumer.process(delivery()) == Nack()
    assert [await count(database, t) for t in ("seen", "inbox", "outbox")] == [0, 0, 0]
    project.fail = None
    assert await consumer.process(delivery(attempt=2)) == Ack()
    assert await relay.publish_batch() == 1


async def test_a_relay_that_dies_after_publishing_publishes_the_same_ids_again(database: Database) -> None:
    class DiesAfter(MemoryBroker):
        dead = False

        async def publish(self, topic: str, data: bytes, attributes: Any) -> None:
            await super().publish(topic, data, attributes)
            if not self.dead:
                self.dead = True
                raise BrokerUnavailableError("the answer was lost")

    broker = DiesAfter()
    consumer, relay = build(database, Project(), broker)
    await consumer.process(delivery())
    with pytest.raises(BrokerUnavailableError):
        await relay.publish_batch()
    assert await count(database, "outbox") == 1
    assert await relay.publish_batch() == 1
    first, second = broker.on(OUTPUT)
    assert first == second


async def test_an_event_that_the_broker_refuses_holds_up_none(database: Database) -> None:
    broker = MemoryBroker()
    consumer, relay = build(database, Project(), broker)
    await consumer.process(delivery("refused"))
    async with database.transaction() as session:
        await session.execute(
            text(f"""UPDATE outbox SET event = jsonb_set(event, '{{attributes,long}}', '"{"x" * 1025}"')""")
        )
        await session.execute(text("INSERT INTO outbox (event) SELECT event FROM outbox, generate_series(1, 150)"))
    for number in range(30):
        await consumer.process(delivery(f"event-{number}"))
    while len(broker.on(OUTPUT)) < 30:
        await relay.publish_batch()
    assert await relay.publish_batch() == 0
    assert await count(database, "outbox") == 151


async def test_what_was_taken_is_not_published_again_if_the_broker_goes_away_meanwhile(database: Database) -> None:
    class TakesHalf(MemoryBroker):
        async def publish(self, topic: str, data: bytes, attributes: Any) -> None:
            if len(self.published) == 5:
                raise BrokerUnavailableError("gone")
            await super().publish(topic, data, attributes)

    broker = TakesHalf()
    consumer, relay = build(database, Project(), broker)
    for number in range(10):
        await consumer.process(delivery(f"event-{number}"))
    with pytest.raises(BrokerUnavailableError):
        await relay.publish_batch()
    assert await count(database, "outbox") == 5


async def test_two_relays_share_the_outbox_without_doubling(database: Database) -> None:
    broker = MemoryBroker()
    consumer, relay = build(database, Project(), broker)
    for number in range(30):
        await consumer.process(delivery(f"event-{number}"))
    _, other = build(database, Project(), broker)
    await asyncio.gather(relay.publish_batch(), other.publish_batch())
    await relay.publish_batch()
    assert len(broker.on(OUTPUT)) == 30


async def test_a_running_relay_publishes_soon_after_the_commit(database: Database) -> None:
    broker = MemoryBroker()
    consumer, relay = build(database, Project(), broker)
    running = asyncio.create_task(relay.run())
    try:
        await consumer.process(delivery())
        async with asyncio.timeout(5):
            while not broker.on(OUTPUT):
                await asyncio.sleep(0.01)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_a_lost_connection_is_waited_out(database: Database) -> None:
    project = Project()
    consumer, _ = build(database, project, MemoryBroker())
    calls = 0

    async def cut_once(envelope: Envelope[Any], session: AsyncSession, inputs: StageInputs) -> Sequence[EventData]:
        nonlocal calls
        calls += 1
        if calls == 1:
            await session.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
        return await project(envelope, session, inputs)

    projection = Projection(Service.SEARCH, MediaEmbeddedV1, lambda e: e.upload.user_id, cut_once)
    ledger = Ledger(MetaData())
    resources = ProjectionResources(database, ledger, Relay(database, ledger, MemoryBroker()))
    consumer = runtimes([projection], MemoryBroker(), MemoryObjectStore(), "artifacts", resources)[0]
    assert await consumer.process(delivery(attempt=5)) == Ack()
    assert calls == 2
    assert await count(database, "seen") == 1


async def test_no_database_at_all_is_an_outage_and_not_a_defect() -> None:
    nowhere = Database("postgresql+asyncpg://nobody@127.0.0.1:1/none", "public")
    with pytest.raises(DatabaseUnavailableError):
        async with nowhere.transaction():
            pass
    socketless = Database("postgresql+asyncpg://nobody@/none?host=/tmp/no-such-dir", "public")
    with pytest.raises(DatabaseUnavailableError):
        async with socketless.transaction():
            pass


async def test_the_inbox_forgets_what_can_no_longer_come_again(database: Database) -> None:
    consumer, _ = build(database, Project(), MemoryBroker())
    await consumer.process(delivery())
    ledger = Ledger(MetaData())
    async with database.transaction() as session:
        assert await ledger.forget_inbox(session, datetime.now(UTC) - timedelta(days=31)) == 0
        assert await ledger.forget_inbox(session, datetime.now(UTC) + timedelta(seconds=1)) == 1
