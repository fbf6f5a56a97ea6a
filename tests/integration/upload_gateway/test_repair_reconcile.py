"""Bucket against table: what is missing, orphaned, changed or should be gone is told, and repaired through events."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from contracts.events import ObjectDeletedV1, ObjectFinalizedV1, UploadDeletedV1, UserChangedV1
from tests.integration.upload_gateway.conftest import BUCKET, JPEG, Gateway
from tests.integration.upload_gateway.events import dropped, walk
from tests.integration.upload_gateway.test_repair_sweeper import decoded
from upload_gateway.repair import reconcile as reconciling

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
    assert len(purged) == 4, "the owner's, one for each finding, and the deletion told again"


async def test_derived_files_without_an_upload_go(gateway: Gateway) -> None:
    upload = dropped("someone/never.jpg", 7)
    await put(gateway, f"someone/{upload.upload_id}/7/2/analyzer/1-x/manifest.json", ARTIFACTS)
    await put(gateway, "not/an/artifact", ARTIFACTS)
    [finding] = await reconciled(gateway, fix=True)
    assert (finding["problem"], finding["upload_id"]) == ("artifacts", upload.upload_id)
    [event] = await sent(gateway, UploadDeletedV1)
    assert (event.purge, event.upload.version, event.upload.upload_id) == (True, (7, 2), upload.upload_id)


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
