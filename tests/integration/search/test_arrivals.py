"""A file counts as being processed from its arrival on, and a deleted one is forgotten in the end."""

from sqlalchemy import text

from contracts.artifacts import FailureCode
from contracts.events import MediaFailedV1, ObjectFinalizedV1
from search.store import arrivals
from tests.integration.search.conftest import CREATED


def finalized(upload, size_bytes=1000):
    return ObjectFinalizedV1(
        upload=upload, filename=upload.object_name.rpartition("/")[2], size_bytes=size_bytes, created_at=CREATED
    )


async def processing(client):
    answer = await client.post("/api/v1/search", json={"query": "harbour"})
    return answer.json()["data"]["processing"]


async def test_it_counts_from_its_arrival_until_it_can_be_found(world, client):
    upload = world.upload("ada", "a.txt")
    assert await processing(client) == 0
    await world.apply(finalized(upload))
    assert await processing(client) == 1, "what was answered a moment ago holds no longer"
    for event in (
        await world.processed(upload),
        await world.analyzed(upload, ["the harbour"]),
    ):
        await world.apply(event)
        assert await processing(client) == 1
    await world.apply(await world.embedded(upload, ["the harbour"]))
    assert await processing(client) == 0
    await world.apply(finalized(upload))
    assert await processing(client) == 0, "its notification came late"


async def test_what_ends_before_its_first_stage_does_not_count(world, client):
    failed, deleted, folder = (world.upload("ada", name) for name in ("failed.pdf", "deleted.txt", "folder/"))
    await world.apply(finalized(failed), finalized(deleted), finalized(folder, 0), finalized(world.upload("bob", "b")))
    assert await processing(client) == 2
    await world.apply(
        MediaFailedV1(upload=failed, stage="media-processor", code=FailureCode.CORRUPT, message="", retryable=False)
    )
    await world.delete("ada", "deleted.txt")
    assert await processing(client) == 0
    await world.apply(finalized(failed), finalized(deleted))
    assert await processing(client) == 0


async def test_a_note_written_beside_the_event_that_should_have_deleted_it_does_not_count(world, client):
    failed = world.upload("ada", "failed.pdf")
    await world.apply(
        MediaFailedV1(upload=failed, stage="media-processor", code=FailureCode.CORRUPT, message="", retryable=False)
    )
    async with world.database.transaction("ada") as session:
        await arrivals.note(session, failed)
    assert await processing(client) == 0


async def test_the_version_before_is_found_until_the_new_one_was_read(world, client):
    await world.add("ada", "a.txt", "the harbour")
    again = world.upload("ada", "a.txt", generation=2)
    await world.apply(finalized(again))
    answer = (await client.post("/api/v1/search", json={"query": "harbour"})).json()["data"]
    assert ([file["filename"] for file in answer["results"]], answer["processing"]) == (["a.txt"], 1)
    await world.apply(await world.processed(again), await world.analyzed(again, []), await world.embedded(again, []))
    assert await processing(client) == 0


async def test_a_file_deleted_longer_ago_than_any_event_can_be_is_forgotten(world):
    for name in ("old.txt", "older.txt", "young.txt", "restored.txt"):
        await world.add("ada", name, "the harbour")
        await world.delete("ada", name)
    restored = world.upload("ada", "restored.txt", run=1)
    await world.apply(await world.processed(restored))
    long_ago = text("UPDATE files SET touched_at = now() - interval '33 days' WHERE upload_id = ANY(:upload_ids)")
    aged = [world.upload("ada", name).upload_id for name in ("old.txt", "older.txt", "restored.txt")]
    async with world.database.transaction("ada") as session:
        await session.execute(long_ago, {"upload_ids": aged})
    await world.add("ada", "last.txt", "the harbour")
    await world.delete("ada", "last.txt")
    known = {row["upload_id"] for row in (await world.rows("ada"))["files"]}
    left = ("young.txt", "restored.txt", "last.txt")
    assert known == {world.upload("ada", name).upload_id for name in left}
