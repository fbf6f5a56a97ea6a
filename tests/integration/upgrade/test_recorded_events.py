"""Old and new versions side by side: what earlier versions published goes through every handler of this one."""

import base64
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from analyzer.backends.local.backend import LocalBackend
from analyzer.backends.local.ocr import OcrProcess
from analyzer.handlers import on_media_processed
from analyzer.handlers import on_upload_reprocess as analyze_again
from contracts.render import ROOT
from contracts.topology import DEAD_LETTER_TOPIC
from embedder.handlers import on_media_analyzed
from embeddings.testing import FakeEncoder
from eventing.consumer import ProjectionResources, runtimes
from eventing.delivery import Ack, Delivery
from eventing.handlers import Handler
from eventing.relay import Relay
from eventing.runtime import Runtime
from eventing.testing import MemoryBroker
from identity.api_keys import new_api_key
from media_processor.handlers import on_object_finalized, on_upload_deleted
from media_processor.handlers.on_object_finalized import ProcessObject
from media_processor.sandbox import Sandbox
from objectstore.store import StoredObject
from objectstore.testing import MemoryObjectStore
from search.handlers import projections
from search.tables import LEDGER
from tests.integration.conftest import ServiceDatabase
from upload_gateway import handlers
from upload_gateway.bootstrap import bootstrap
from upload_gateway.tables import ledger

RECORDED = sorted((ROOT / "tests/contracts/recorded").glob("*.*.*"))
ARTIFACTS = "mmsearch-local-artifacts"
USER = "local-user"
ORDER = (
    "user.changed.v1", "object.finalized.v1", "media.processed.v1", "media.analyzed.v1", "media.embedded.v1",
    "media.indexed.v1", "media.failed.v1", "upload.reprocess.v1", "object.deleted.v1", "upload.deleted.v1",
    "dead.letter.v1",
)  # fmt: skip


class RecordedObjects(MemoryObjectStore):
    """The objects of a recording under the generations they had; of several the newest, as in the bucket."""

    def __init__(self, recording: Path) -> None:
        super().__init__()
        found = json.loads((recording / "objects.json").read_text())
        for item in sorted(found, key=lambda item: item["generation"]):
            data = base64.b64decode(item["base64"])
            stored = StoredObject(
                item["bucket"], item["key"], item["generation"], len(data), item["media_type"], datetime.now(UTC)
            )
            self._objects[item["bucket"], item["key"]] = (stored, data)


def messages(recording: Path, topic: str) -> list[dict[str, Any]]:
    return json.loads((recording / f"{topic}.json").read_text())


async def replay(recording: Path, consumed: Sequence[Runtime], topics: Sequence[str] = ORDER) -> int:
    """Each message to everyone who subscribes to its topic here; answers how many deliveries that were."""
    delivered = 0
    for topic in topics:
        for message in messages(recording, topic):
            for runtime in [r for r in consumed if r.subscription.event.topic() == topic]:
                delivery = Delivery("1", message["data"].encode(), message["attributes"], datetime.now(UTC))
                settled = await runtime.process(delivery)
                assert settled == Ack(), (topic, runtime.subscription.name, settled)
                delivered += 1
    return delivered


@pytest.mark.parametrize("recording", RECORDED, ids=lambda path: path.name)
async def test_a_recording_speaks_of_every_topic(recording: Path) -> None:
    assert {path.stem for path in recording.glob("*.json")} == {*ORDER, "objects"}


@pytest.mark.parametrize("recording", RECORDED, ids=lambda path: path.name)
async def test_upload_gateway_takes_in_every_earlier_event(recording: Path, service_database: ServiceDatabase) -> None:
    database = await service_database("upload_gateway")
    await bootstrap(database, USER, new_api_key())
    broker, store = MemoryBroker(), RecordedObjects(recording)
    resources = ProjectionResources(database, ledger, Relay(database, ledger, broker))
    consumed = runtimes(handlers.projections(), broker, store, ARTIFACTS, resources)
    assert await replay(recording, consumed, [topic for topic in ORDER if "deleted" not in topic]) > 10
    assert [dead.attributes["ce-id"] for dead in broker.on(DEAD_LETTER_TOPIC)] == ["poison"]
    async with database.transaction(USER) as session:
        rows = await session.execute(text("SELECT filename, status FROM uploads ORDER BY filename"))
        seen = {row.filename: row.status for row in rows}
        assert await session.scalar(text("SELECT count(*) FROM dead_letters")) == 1
    assert seen == {"broken.jpg": "failed", "keeper.txt": "completed", "page.md": "completed"}
    await replay(recording, consumed, ["object.deleted.v1"])
    async with database.transaction(USER) as session:
        gone = await session.scalars(text("SELECT filename FROM uploads WHERE status = 'deleted'"))
        assert gone.all() == ["page.md"]


@pytest.mark.parametrize("recording", RECORDED, ids=lambda path: path.name)
async def test_search_takes_in_every_earlier_event(recording: Path, service_database: ServiceDatabase) -> None:
    database = await service_database("search")
    broker, store = MemoryBroker(), RecordedObjects(recording)
    consumed = runtimes(
        projections(), broker, store, ARTIFACTS, ProjectionResources(database, LEDGER, Relay(database, LEDGER, broker))
    )
    await replay(recording, consumed, [topic for topic in ORDER if "deleted" not in topic])
    assert broker.on(DEAD_LETTER_TOPIC) == []

    async def passages() -> int:
        async with database.transaction(USER) as session:
            return await session.scalar(text("SELECT count(*) FROM passages")) or 0

    assert await passages() > 0
    await replay(recording, consumed, ["upload.deleted.v1"])
    assert await passages() == 0
    async with database.transaction() as session:
        assert await session.scalar(text("SELECT count(*) FROM principals WHERE user_id = :u"), {"u": USER}) == 1


@pytest.mark.parametrize("recording", RECORDED, ids=lambda path: path.name)
async def test_the_stages_work_on_every_earlier_input(recording: Path) -> None:
    broker, store = MemoryBroker(), RecordedObjects(recording)
    ocr, encoder = OcrProcess(timeout_s=60), FakeEncoder(384)
    backend = LocalBackend(ocr, None, None)
    async with Sandbox() as sandbox, ocr:
        process = ProcessObject(sandbox)
        stages: list[Handler] = [
            on_object_finalized.stage(process),
            on_upload_deleted.stage(),
            on_media_processed.stage(backend),
            on_media_analyzed.stage(encoder),
        ]
        consumed = runtimes(stages, broker, store, ARTIFACTS)
        again = runtimes([analyze_again.stage(backend)], broker, store, ARTIFACTS)
        earlier = ("object.finalized.v1", "media.processed.v1", "media.analyzed.v1")
        assert await replay(recording, consumed, earlier) > 5
        assert await replay(recording, again, ["upload.reprocess.v1"]) == 1
        assert await replay(recording, consumed, ["upload.deleted.v1"]) > 0
    assert broker.on(DEAD_LETTER_TOPIC) == []
    for topic in ("media.processed.v1", "media.analyzed.v1"):
        before = {message["attributes"]["ce-subject"] for message in messages(recording, topic)}
        assert {published.attributes["ce-subject"] for published in broker.on(topic)} == before, topic
    assert len(broker.on("media.failed.v1")) == 1
