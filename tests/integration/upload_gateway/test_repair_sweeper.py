"""The sweeper: silent uploads are carried on from what is stored, with the ids they had, and given up in the end."""

from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import text

from contracts.artifacts import StoredEvent
from contracts.envelope import derived_event_id
from contracts.events import EVENTS, MediaFailedV1, ObjectDeletedV1, ObjectFinalizedV1, UploadReprocessV1
from eventing import codec
from eventing.codec import ONLY_FOR
from telemetry.propagation import trace_id_of
from tests.integration.upload_gateway.conftest import BUCKET, JPEG, Gateway
from tests.integration.upload_gateway.events import NOW, dropped, walk
from upload_gateway.periodic import run_alone
from upload_gateway.repair.sweeper import Sweeper, sweeping
from upload_gateway.store import uploads

BY_TOPIC = {event.topic(): event for event in EVENTS}


async def silence(gateway: Gateway, hours: float = 1) -> None:
    """As if everything had happened that much earlier."""
    past = f"interval '{hours} hours'"
    for user in ("someone", "another"):
        async with gateway.database.transaction(user) as session:
            await session.execute(text(f"UPDATE uploads SET updated_at = updated_at - {past}"))
            await session.execute(text("DELETE FROM outbox"))
    async with gateway.database.transaction() as session:
        await session.execute(text(f"UPDATE sweeps SET swept_at = swept_at - {past}, next_at = next_at - {past}"))


async def swept(gateway: Gateway) -> Sequence[StoredEvent]:
    await Sweeper(gateway.resources).sweep()
    return await gateway.outgoing()


def decoded(message: StoredEvent) -> Any:
    return codec.decode(BY_TOPIC[message.topic], message.data.encode(), message.attributes)


def addressed(messages: Sequence[StoredEvent]) -> list[tuple[str, str | None]]:
    return [(message.topic, message.attributes.get(ONLY_FOR)) for message in messages]


async def stored(gateway: Gateway, name: str, content: bytes = JPEG) -> int:
    return (await gateway.objects.put(BUCKET, name, content, "image/jpeg", {"traceparent": "x"})).generation


async def test_a_quiet_system_is_left_alone(gateway: Gateway) -> None:
    await gateway.hear(*walk(dropped("someone/done.jpg")))
    await gateway.hear(*walk(dropped("someone/fresh.jpg"))[:2])
    assert await swept(gateway) == []
    await silence(gateway)
    assert [decoded(message).data.upload.object_name for message in await swept(gateway)] == ["someone/fresh.jpg"]


async def test_an_object_nobody_processed_is_announced_as_cloud_storage_did(gateway: Gateway) -> None:
    generation = await stored(gateway, "someone/a.jpg")
    seen = await gateway.objects.stat(BUCKET, "someone/a.jpg")
    upload = dropped("someone/a.jpg", generation)
    finalized = walk(upload)[0].model_copy(
        update={
            "size_bytes": seen.size_bytes,
            "declared_media_type": "image/jpeg",
            "created_at": seen.created_at,
            "metadata": {"traceparent": "x"},
        }
    )
    await gateway.hear(finalized)
    await silence(gateway)
    [message] = await swept(gateway)
    again = decoded(message)
    assert again.data == finalized
    assert again.id == derived_event_id("OBJECT_FINALIZE", BUCKET, "someone/a.jpg", str(generation))


@pytest.mark.parametrize("heard", [2, 3, 4])
async def test_the_next_stage_gets_its_input_under_the_id_it_had(gateway: Gateway, heard: int) -> None:
    events = walk(dropped("someone/a.jpg"))[:heard]
    for number, event in enumerate(events):
        await gateway.hear(event, event_id=f"first-{number}")
    await silence(gateway)
    messages = await swept(gateway)
    names = {message.topic: message for message in messages}
    carried = events[-1]
    if heard < 4:
        assert addressed(messages)[-1] == (carried.topic(), None)
        assert names[carried.topic()].attributes["ce-id"] == f"first-{heard - 1}"
    else:
        assert addressed(messages)[-1] == (carried.topic(), "search.media.embedded.v1")
        assert names[carried.topic()].attributes["ce-id"] != f"first-{heard - 1}", "only an answer was lost: ask anew"
    assert [only for _, only in addressed(messages)[:-1]] == [f"search.{e.topic()}" for e in events[1:-1]]
    for event in events[1:]:
        assert decoded(names[event.topic()]).data == event
        assert trace_id_of(names[event.topic()].attributes["traceparent"]) == "ab" * 16


async def test_a_run_asked_for_is_asked_for_again_under_the_same_id(gateway: Gateway) -> None:
    upload = dropped("someone/a.jpg")
    await gateway.hear(*walk(upload))
    await gateway.post(f"/process/{upload.upload_id}?from_stage=analyzer")
    [(first_id, first)] = [(i, e) for i, e in await gateway.outbox() if isinstance(e, UploadReprocessV1)]
    await silence(gateway)
    [message] = await swept(gateway)
    assert (message.attributes["ce-id"], decoded(message).data) == (first_id, first)


async def test_an_upload_whose_object_was_never_announced_is_found(gateway: Gateway) -> None:
    accepted = (await gateway.upload()).json()["data"]
    await silence(gateway)
    [message] = await swept(gateway)
    event = decoded(message).data
    assert isinstance(event, ObjectFinalizedV1)
    assert event.upload.upload_id == accepted["upload_id"]


async def test_an_object_that_is_gone_ends_its_upload(gateway: Gateway) -> None:
    upload = dropped("someone/a.jpg")
    await gateway.hear(walk(upload)[0])
    await silence(gateway)
    [message] = await swept(gateway)
    removal = decoded(message)
    assert isinstance(removal.data, ObjectDeletedV1)
    await gateway.hear(removal.data)
    assert (await gateway.get(f"/upload/status/{upload.upload_id}")).status_code == 404


async def test_each_sweep_waits_twice_as_long_and_the_last_gives_up_with_a_code(gateway: Gateway) -> None:
    upload = dropped("someone/a.jpg")
    await gateway.hear(*walk(upload)[:2])
    object.__setattr__(gateway.resources.repair, "sweep_attempts", 3)
    rounds: list[int] = []
    for _ in range(7):  # after 15 minutes, then 15, 30 and 60 more
        await silence(gateway, 0.25)
        rounds.append(len(await swept(gateway)))
    assert rounds == [1, 1, 0, 1, 0, 0, 0]
    await silence(gateway, 0.26)
    [message] = await swept(gateway)
    failure = decoded(message).data
    assert isinstance(failure, MediaFailedV1)
    assert (failure.code, failure.stage, failure.retryable) == ("timeout", "analyzer", True)
    status = (await gateway.get(f"/upload/status/{upload.upload_id}")).json()["data"]
    assert (status["status"], status["error"]["code"]) == ("failed", "timeout")
    await gateway.hear(failure)
    await silence(gateway, 100)
    assert await swept(gateway) == []


async def test_a_sign_of_life_begins_the_count_anew_and_a_late_success_counts(gateway: Gateway) -> None:
    object.__setattr__(gateway.resources.repair, "sweep_attempts", 1)
    events = walk(dropped("someone/a.jpg"))
    await gateway.hear(*events[:2])
    await silence(gateway)
    assert len(await swept(gateway)) == 1
    await gateway.hear(events[2])
    await silence(gateway)
    assert addressed(await swept(gateway))[-1] == ("media.analyzed.v1", None)
    await silence(gateway)
    assert [message.topic for message in await swept(gateway)] == ["media.failed.v1"]
    await gateway.hear(*events[3:])
    assert (await gateway.get("/uploads")).json()["data"][0]["status"] == "completed"


async def test_what_one_stage_said_is_asked_for_again_even_when_later_ones_were_heard(gateway: Gateway) -> None:
    upload = dropped("someone/a.jpg", await stored(gateway, "someone/a.jpg"))
    finalized, processed, analyzed, embedded, indexed = walk(upload)
    await gateway.hear(finalized, analyzed, embedded, indexed)
    assert (await gateway.get("/uploads")).json()["data"][0]["status"] == "completed"
    await silence(gateway)
    assert [message.topic for message in await swept(gateway)] == ["object.finalized.v1"]
    await gateway.hear(processed)
    await silence(gateway, 100)
    assert await swept(gateway) == []


async def test_a_completed_upload_that_stays_half_known_is_not_failed(gateway: Gateway) -> None:
    object.__setattr__(gateway.resources.repair, "sweep_attempts", 1)
    finalized, processed, _, embedded, indexed = walk(dropped("someone/a.jpg"))
    await gateway.hear(finalized, processed, embedded, indexed)
    rounds: list[list[str]] = []
    for _ in range(3):
        await silence(gateway, 100)
        rounds.append([message.topic for message in await swept(gateway)])
    assert rounds == [["media.processed.v1", "media.embedded.v1"], [], []]
    assert (await gateway.get("/uploads")).json()["data"][0]["status"] == "completed"


async def test_a_file_whose_place_a_folder_took_does_not_stay_processing(gateway: Gateway) -> None:
    file = dropped("someone/folder/", await stored(gateway, "someone/folder/"))
    await gateway.hear(ObjectFinalizedV1(upload=file, filename="", size_bytes=len(JPEG), created_at=NOW))
    await gateway.objects.delete(BUCKET, "someone/folder/")
    folder = dropped("someone/folder/", await stored(gateway, "someone/folder/", b""))
    await gateway.hear(
        ObjectFinalizedV1(upload=folder, filename="", size_bytes=0, created_at=NOW),
        ObjectDeletedV1(upload=file, overwritten_by_generation=folder.generation),
    )
    await silence(gateway)
    [message] = await swept(gateway)
    assert decoded(message).data.code == "file_size"


async def test_a_row_whose_object_may_still_come_is_left_to_the_purge(gateway: Gateway) -> None:
    accepted = (await gateway.upload()).json()["data"]
    async with gateway.database.transaction("someone") as session:
        state = await uploads.find_for_update(session, accepted["upload_id"])
        assert state is not None
        await uploads.save(session, state.model_copy(update={"generation": 0, "requested": None}))
    await gateway.objects.delete(BUCKET, state.object_name)
    for _ in range(12):
        await silence(gateway, 10_000)
        assert await swept(gateway) == []


async def test_an_upload_that_cannot_be_seen_to_holds_back_no_other(gateway: Gateway) -> None:
    damaged, sound = dropped("someone/damaged.jpg"), dropped("someone/sound.jpg")
    await gateway.hear(*walk(damaged)[:2])
    await silence(gateway, 0.2)
    await gateway.hear(*walk(sound)[:2])
    async with gateway.database.transaction("someone") as session:
        damage = text("UPDATE uploads SET state = '{}' WHERE upload_id = :upload_id")
        await session.execute(damage, {"upload_id": damaged.upload_id})
    await silence(gateway)
    assert [decoded(message).data.upload for message in await swept(gateway)] == [sound]
    async with gateway.database.transaction() as session:
        waiting = (await session.scalars(text("SELECT upload_id FROM sweeps WHERE next_at > now()"))).all()
    assert sorted(waiting) == sorted([damaged.upload_id, sound.upload_id]), "its next turn comes later too"


async def test_one_instance_at_a_time(gateway: Gateway) -> None:
    job = sweeping(gateway.resources)
    began: list[bool] = []

    async def nested() -> None:
        began.append(await run_alone(gateway.database, job))

    outer = type(job)(job.name, job.every_s, nested)
    assert await run_alone(gateway.database, outer)
    assert began == [False]
    assert await run_alone(gateway.database, job)
