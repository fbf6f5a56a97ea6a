"""Bucket against table: what is missing, orphaned, changed or should be gone is told, and repaired through events."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from contracts.artifacts import Manifest, StoredEvent, UploadRef
from contracts.envelope import EventData
from contracts.events import MediaIndexedV1, ObjectDeletedV1, ObjectFinalizedV1, UploadDeletedV1, UserChangedV1
from contracts.identifiers import new_upload_id, object_name
from eventing import codec
from eventing.codec import ONLY_FOR
from eventing.notifications import finalized_message
from tests.integration.upload_gateway.conftest import BUCKET, JPEG, Gateway
from tests.integration.upload_gateway.events import NOW, dropped, walk
from tests.integration.upload_gateway.test_repair_sweeper import decoded
from upload_gateway.repair import reconcile as reconciling
from upload_gateway.repair import remembered as remembering
from upload_gateway.republishing import finalized_of
from upload_gateway.tables import ledger

ARTIFACTS = "artifacts"


@pytest.fixture(autouse=True)
def everything_counts(gateway: Gateway) -> None:
    object.__setattr__(gateway.resources.repair, "settle", timedelta(seconds=-60))
    object.__setattr__(gateway.resources.repair, "artifacts_bucket", ARTIFACTS)


async def put(gateway: Gateway, name: str, bucket: str = BUCKET) -> int:
    return (await gateway.objects.put(bucket, name, JPEG, "image/jpeg")).generation


async def reconciled(gateway: Gateway, *, fix: bool = False) -> list[dict[str, Any]]:
    """All findings of a whole walk."""
    findings: list[dict[str, Any]] = []
    cursor: dict[str, Any] | None = {}
    while cursor is not None:
        answer = await gateway.post("/admin/reconcile", json={"fix": fix, "cursor": cursor})
        assert answer.status_code == 200, answer.text
        findings += answer.json()["data"]["findings"]
        cursor = answer.json()["data"]["next"]
    return findings


async def sent(gateway: Gateway, kind: type) -> list[Any]:
    return [event.data for m in await gateway.outgoing() if isinstance((event := decoded(m)).data, kind)]


async def drain(gateway: Gateway) -> None:
    """Hears what was published for this service, as the broker would deliver it."""
    messages = await gateway.outgoing()
    async with gateway.database.transaction() as session:
        await session.execute(text("DELETE FROM outbox"))
    for message in messages:
        if message.topic.startswith("object."):
            event = decoded(message)
            await gateway.hear(event.data, event_id=event.id)


NAMES = [
    "someone/holiday/beach.jpg",
    "someone/holiday/é.jpg",
    "someone/plain.jpg",
    *(object_name("someone", new_upload_id("someone", f"{n}.jpg"), f"{n}.jpg") for n in range(4)),
]
"""Three are dropped, four posted."""


async def in_bucket(gateway: Gateway, name: str) -> UploadRef:
    return dropped(name, await put(gateway, name))


async def derive(gateway: Gateway, upload: UploadRef, *, remembered: bool = True) -> None:
    """What the stages leave of one version in the artifacts bucket."""
    for event in walk(upload)[1:4]:
        (stage,) = type(event).publishers
        folder = f"someone/{upload.upload_id}/{upload.generation}/{upload.run}/{stage}/1-x/"
        await put(gateway, folder + "aside", ARTIFACTS)
        if remembered:
            manifest = Manifest(
                stage=stage, stage_version="1", input_event_id="i", created_at=NOW, duration_s=1, artifacts=(),
                events=(announced(event),),
            )  # fmt: skip
            content = manifest.model_dump_json().encode()
            await gateway.objects.put(ARTIFACTS, folder + "manifest.json", content, "application/json")


def announced(event: EventData) -> StoredEvent:
    (stage,) = type(event).publishers
    event_id = f"{event.subject()}-{event.topic()}"
    return codec.encode(event, event_id=event_id, source=stage, time=NOW, trace={})


async def hear_once(gateway: Gateway, upload: UploadRef) -> None:
    """Row and inbox, as the runtime writes them."""
    stored = await gateway.objects.stat(BUCKET, upload.object_name)
    await receive(gateway, [finalized_message(finalized_of(stored)), *(announced(e) for e in walk(upload)[1:])])


async def receive(gateway: Gateway, messages: Sequence[StoredEvent]) -> None:
    """Those of the messages that are meant for the gateway, each event once."""
    for message in messages:
        if not message.attributes.get(ONLY_FOR, "upload-gateway.").startswith("upload-gateway."):
            continue
        envelope = decoded(message)
        async with gateway.database.transaction() as session:
            first = await ledger.first_time(session, envelope.id, message.topic)
        if first:
            await gateway.hear(envelope.data, event_id=envelope.id)


async def deliver(gateway: Gateway) -> None:
    messages = [m for m in await gateway.outgoing() if m.topic.startswith(("object.", "media."))]
    async with gateway.database.transaction() as session:
        await session.execute(text("DELETE FROM outbox"))
    await receive(gateway, messages)


async def derived_purges(gateway: Gateway) -> list[UploadDeletedV1]:
    return [event for event in await sent(gateway, UploadDeletedV1) if event.purge_derived]


async def test_what_fits_is_not_told(gateway: Gateway) -> None:
    generation = await put(gateway, "someone/a.jpg")
    upload = dropped("someone/a.jpg", generation)
    await gateway.hear(*walk(upload))
    await put(gateway, f"someone/{upload.upload_id}/{generation}/0/analyzer/1-x/manifest.json", ARTIFACTS)
    await gateway.objects.put(BUCKET, "someone/folder/", b"", "text/plain")
    assert await reconciled(gateway) == []


async def test_an_object_without_an_upload_is_announced(gateway: Gateway) -> None:
    generation = await put(gateway, "someone/lost.jpg")
    [finding] = await reconciled(gateway)
    assert (finding["problem"], finding["name"], finding["generation"]) == ("missing", "someone/lost.jpg", generation)
    assert await gateway.outgoing() == [], "only told"
    await reconciled(gateway, fix=True)
    [event] = await sent(gateway, ObjectFinalizedV1)
    assert (event.upload, event.size_bytes) == (dropped("someone/lost.jpg", generation), len(JPEG))
    await drain(gateway)
    assert await reconciled(gateway) == []


async def test_an_upload_that_only_the_gateway_knows_of_is_announced(gateway: Gateway) -> None:
    await gateway.upload()
    assert [finding["problem"] for finding in await reconciled(gateway, fix=True)] == ["missing"]
    await drain(gateway)
    assert await reconciled(gateway) == []


async def test_a_changed_object_is_a_new_version(gateway: Gateway) -> None:
    await put(gateway, "someone/other.jpg")
    generation = await put(gateway, "someone/a.jpg")
    await gateway.hear(*walk(dropped("someone/a.jpg", generation - 1)), *walk(dropped("someone/other.jpg", 1)))
    [finding] = await reconciled(gateway, fix=True)
    assert (finding["problem"], finding["generation"], finding["known_generation"]) == ("changed", 2, 1)
    await drain(gateway)
    [row] = (await gateway.get("/uploads?status=processing")).json()["data"]
    assert row["filename"] == "a.jpg"
    assert await reconciled(gateway) == []


async def test_an_upload_without_its_object_is_deleted(gateway: Gateway) -> None:
    upload = dropped("someone/gone.jpg")
    await gateway.hear(*walk(upload))
    [finding] = await reconciled(gateway, fix=True)
    assert (finding["problem"], finding["upload_id"]) == ("orphaned", upload.upload_id)
    assert [event.upload for event in await sent(gateway, ObjectDeletedV1)] == [upload]
    await drain(gateway)
    assert (await gateway.get("/uploads")).json()["meta"]["total"] == 0
    assert await reconciled(gateway) == []


async def test_what_was_purged_and_is_still_there_is_purged_again(gateway: Gateway) -> None:
    generation = await put(gateway, "someone/a.jpg")
    upload = dropped("someone/a.jpg", generation)
    await gateway.hear(*walk(upload))
    await put(gateway, f"someone/{upload.upload_id}/{generation}/0/analyzer/1-x/manifest.json", ARTIFACTS)
    await gateway.delete(f"/upload/{upload.upload_id}?purge=true")
    assert sorted(finding["problem"] for finding in await reconciled(gateway)) == ["artifacts", "deleted"]
    await reconciled(gateway, fix=True)
    purged = [event for event in await sent(gateway, UploadDeletedV1) if event.purge]
    assert {event.upload.object_name for event in purged} == {"someone/a.jpg"}
    assert len(purged) == 3, "the owner's, one for the object, and the deletion told again"
    assert [event.upload.upload_id for event in await derived_purges(gateway)] == [upload.upload_id]


async def test_derived_files_without_an_upload_go(gateway: Gateway) -> None:
    upload = dropped("someone/never.jpg", 7)
    await put(gateway, f"someone/{upload.upload_id}/7/2/analyzer/1-x/manifest.json", ARTIFACTS)
    await put(gateway, "not/an/artifact", ARTIFACTS)
    [finding] = await reconciled(gateway, fix=True)
    assert (finding["problem"], finding["upload_id"]) == ("artifacts", upload.upload_id)
    [event] = await sent(gateway, UploadDeletedV1)
    assert (event.upload.version, event.upload.upload_id) == ((7, 2), upload.upload_id)
    assert (event.purge_derived, event.purge) == (True, False), "nobody knows that the owner wanted an original purged"


@pytest.mark.parametrize("remembered", [True, False], ids=["with manifests", "without manifests"])
async def test_derived_files_of_a_missing_upload_stay(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch, *, remembered: bool
) -> None:
    """Posted and dropped, over many stretches: what was only just announced is still missing when these are walked."""
    monkeypatch.setattr(reconciling, "_STRETCH", 2)
    monkeypatch.setattr(remembering, "_PAGE", 2)
    monkeypatch.setattr(remembering, "_OBJECTS", 2)
    uploads = [await in_bucket(gateway, name) for name in NAMES]
    for upload in uploads:
        await derive(gateway, upload, remembered=remembered)
    gone = dropped("someone/holiday/gone.jpg", 3)
    another = uploads[0].model_copy(update={"generation": 1000})
    for upload in (gone, another):
        await derive(gateway, upload, remembered=remembered)
    found = await reconciled(gateway, fix=True)
    assert sorted(f["name"] for f in found if f["problem"] == "missing") == sorted(NAMES)
    purged = {(event.upload.upload_id, event.upload.generation) for event in await derived_purges(gateway)}
    assert purged == {(gone.upload_id, 3), (another.upload_id, 1000)}
    assert not [event for event in await sent(gateway, UploadDeletedV1) if event.purge]
    await deliver(gateway)
    assert {f["problem"] for f in await reconciled(gateway)} == {"artifacts"}, "until media-processor has removed them"


async def test_an_upload_whose_row_alone_is_lost_comes_back(gateway: Gateway) -> None:
    uploads = [await in_bucket(gateway, name) for name in NAMES]
    for upload in uploads:
        await derive(gateway, upload)
        await hear_once(gateway, upload)
    async with gateway.database.transaction("someone") as session:
        await session.execute(text("DELETE FROM uploads"))
    await reconciled(gateway, fix=True)
    asked = [m for m in await gateway.outgoing() if m.attributes.get(ONLY_FOR) == "search.media.embedded.v1"]
    assert {decoded(message).data.upload for message in asked} == set(uploads)
    assert not {decoded(message).id for message in asked} & {f"{u.upload_id}-media.embedded.v1" for u in uploads}
    await deliver(gateway)
    for upload in uploads:
        await gateway.hear(MediaIndexedV1(upload=upload, model_id="m", passage_count=1))
    listed = (await gateway.get("/uploads")).json()["data"]
    assert {(row["upload_id"], row["status"]) for row in listed} == {(u.upload_id, "completed") for u in uploads}
    assert {row["summary"] for row in listed} == {"Boats at rest."}
    assert await reconciled(gateway) == []


async def test_a_soft_deleted_object_waits_for_its_purge(gateway: Gateway) -> None:
    generation = await put(gateway, "someone/a.jpg")
    upload = dropped("someone/a.jpg", generation)
    await gateway.hear(*walk(upload))
    await gateway.delete(f"/upload/{upload.upload_id}")
    assert await reconciled(gateway) == []


async def test_fixing_tells_deletions_and_users_again(gateway: Gateway) -> None:
    upload = dropped("someone/a.jpg", await put(gateway, "someone/a.jpg"))
    await gateway.hear(*walk(upload))
    await gateway.delete(f"/upload/{upload.upload_id}")
    first = [i for i, event in await gateway.outbox() if isinstance(event, UploadDeletedV1)]
    await reconciled(gateway, fix=True)
    again = [i for i, event in await gateway.outbox() if isinstance(event, UploadDeletedV1)]
    assert again == first * 2, "under the id it had: who heard it knows it again"
    assert {event.user_id for event in await sent(gateway, UserChangedV1)} == {"someone", "another"}


async def test_what_is_younger_than_the_settling_time_is_not_judged(gateway: Gateway) -> None:
    object.__setattr__(gateway.resources.repair, "settle", timedelta(hours=1))
    await put(gateway, "someone/new.jpg")
    assert await reconciled(gateway) == []


async def test_a_long_bucket_is_walked_in_stretches(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reconciling, "_STRETCH", 3)
    for n in range(8):
        generation = await put(gateway, f"someone/{n}.jpg")
        if n % 2:
            await gateway.hear(walk(dropped(f"someone/{n}.jpg", generation))[0])
    for n in range(10, 17):
        await gateway.hear(walk(dropped(f"someone/é{n}.jpg"))[0])
    found = await reconciled(gateway)
    assert [f["name"] for f in found if f["problem"] == "missing"] == [f"someone/{n}.jpg" for n in (0, 2, 4, 6)]
    assert [f["name"] for f in found if f["problem"] == "orphaned"] == [f"someone/é{n}.jpg" for n in range(10, 17)]
    assert len(found) == 11
