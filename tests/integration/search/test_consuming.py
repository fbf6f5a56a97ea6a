"""The projections behind the real runtime: thrice delivered and shuffled, side by side, and poisoned."""

import asyncio
import random
from datetime import UTC, datetime

from contracts.artifacts import Service
from contracts.events import MediaIndexedV1
from contracts.topology import DEAD_LETTER_TOPIC, SUBSCRIPTIONS
from eventing import codec
from eventing.consumer import ProjectionResources, runtimes
from eventing.relay import Relay
from eventing.testing import MemoryBroker
from search.handlers import projections
from search.request import SearchRequest
from search.tables import LEDGER


def test_every_subscription_of_search_has_its_handler():
    heard = {s.event for s in SUBSCRIPTIONS if s.service is Service.SEARCH}
    assert {projection.event for projection in projections()} == heard


async def published(broker, event, event_id):
    message = codec.encode(
        event, event_id=event_id, source=Service.EMBEDDER, time=datetime(2026, 3, 5, tzinfo=UTC), trace={}
    )
    await broker.publish(message.topic, message.data.encode(), message.attributes)


async def test_each_event_thrice_and_shuffled_is_indexed_and_announced_once(world):
    broker = MemoryBroker()
    relay = Relay(world.database, LEDGER, broker)
    resources = ProjectionResources(world.database, LEDGER, relay)
    broker.attach(runtimes(projections(), broker, world.store, "artifacts", resources))
    uploads = [world.upload("ada", f"f{i}.txt") for i in range(5)]
    events = [
        event
        for upload in uploads
        for event in (
            await world.processed(upload),
            await world.analyzed(upload, ["harbour"]),
            await world.embedded(upload, ["harbour"]),
        )
    ]
    messages = [(event, f"e{i}") for i, event in enumerate(events)] * 3
    random.Random(3).shuffle(messages)
    for event, event_id in messages:
        await published(broker, event, event_id)
    await published(broker, await world.embedded(uploads[0], ["harbour"], passage_count=9), "bad")
    await broker.drain()
    await relay.publish_batch()

    answer = await world.finder.find("ada", SearchRequest(query="harbour"))
    assert (answer.total, answer.processing) == (5, 0)
    indexed = [MediaIndexedV1.model_validate_json(message.data) for message in broker.on(MediaIndexedV1.topic())]
    assert sorted(event.upload.upload_id for event in indexed) == sorted(upload.upload_id for upload in uploads)
    (dead,) = broker.on(DEAD_LETTER_TOPIC)
    assert dead.attributes["ce-id"] == "bad"


async def test_a_files_events_at_the_same_moment_neither_block_nor_lose_each_other(world):
    uploads = [world.upload("ada", f"f{i}.txt") for i in range(8)]
    events = []
    for upload in uploads:
        for run in (0, 1):
            again = world.upload("ada", upload.object_name.rpartition("/")[2], run=run)
            events += [
                await world.processed(again),
                await world.analyzed(again, [f"harbour run{run}"]),
                await world.embedded(again, [f"harbour run{run}"]),
            ]
    random.Random(5).shuffle(events)
    await asyncio.gather(*(world.apply(event) for event in events))

    rows = await world.rows("ada")
    assert [row["text"] for row in rows["passages"]] == ["harbour run1"] * 8
    assert {(row["processed_run"], row["analyzed_run"]) for row in rows["files"]} == {(1, 1)}
    assert len(rows["vectors_384"]) == 8
