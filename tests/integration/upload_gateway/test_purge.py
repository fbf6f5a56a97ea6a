"""What the purge removes, when, and what it must leave alone."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import text

from contracts.artifacts import UploadRef
from contracts.events import ObjectDeletedV1, UploadDeletedV1
from tests.integration.upload_gateway.conftest import BUCKET, JPEG, Gateway
from tests.integration.upload_gateway.events import dropped, walk
from upload_gateway.jobs import jobs
from upload_gateway.periodic import PeriodicJob, periodically, run_alone
from upload_gateway.purging import JOB_NAME, Purge, Purged, purging_job
from upload_gateway.retention import Retention
from upload_gateway.store import purging

DAY = timedelta(days=1)


async def purge(gateway: Gateway, later: timedelta = timedelta()) -> Purged:
    return await Purge(gateway.app.state.resources).run(datetime.now(UTC) + later)


async def purges(gateway: Gateway) -> list[UploadRef]:
    """Every version whose bytes are to go, in the order announced."""
    return [event.upload for event in await gateway.announced(UploadDeletedV1) if event.purge]


async def rows(gateway: Gateway, table: str = "uploads", user: str = "someone") -> int:
    async with gateway.database.transaction(user) as session:
        return await session.scalar(text(f"SELECT count(*) FROM {table}")) or 0


async def stored_and_deleted(gateway: Gateway) -> UploadRef:
    upload_id = (await gateway.upload()).json()["data"]["upload_id"]
    [name] = gateway.objects.keys(BUCKET)
    stored = await gateway.objects.stat(BUCKET, name)
    upload = dropped(name, stored.generation)
    await gateway.hear(*walk(upload))
    assert (await gateway.delete(f"/upload/{upload_id}")).status_code == 200
    return upload


async def test_a_deletion_can_be_undone_for_thirty_days_and_then_is_final(gateway: Gateway) -> None:
    upload = await stored_and_deleted(gateway)
    assert (await purge(gateway, 29 * DAY)).purged == 0
    assert (await gateway.post(f"/upload/{upload.upload_id}/restore")).status_code == 202
    assert (await purge(gateway, 60 * DAY)).purged == 0
    await gateway.delete(f"/upload/{upload.upload_id}")
    assert (await purge(gateway, 31 * DAY)).purged == 1
    [announced] = await purges(gateway)
    assert (announced.upload_id, announced.version) == (upload.upload_id, (upload.generation, 1))
    assert (await gateway.post(f"/upload/{upload.upload_id}/restore")).json()["error"]["code"] == "gone"
    assert gateway.wakes


async def test_its_row_goes_last_once_the_bucket_has_said_that_the_bytes_are_gone(gateway: Gateway) -> None:
    upload = await stored_and_deleted(gateway)
    await purge(gateway, 31 * DAY)
    await gateway.objects.delete(BUCKET, upload.object_name)
    assert len((await gateway.get("/uploads?status=deleted")).json()["data"]) == 1
    await gateway.hear(ObjectDeletedV1(upload=upload))
    assert (await gateway.get("/uploads?status=deleted")).json()["data"] == []
    assert await purge(gateway) == Purged()
    swept = await purge(gateway, 2 * DAY)
    assert (swept.leftovers, swept.forgotten) == (1, 0)
    assert [ref.version for ref in await purges(gateway)] == [upload.version] * 2
    assert await rows(gateway) == 1
    assert (await purge(gateway, 33 * DAY)).forgotten == 1
    assert (await rows(gateway), await rows(gateway, "removed_versions")) == (0, 0)
    assert await purge(gateway, 99 * DAY) == Purged()


async def test_a_purge_nobody_answered_is_asked_for_again_a_day_later(gateway: Gateway) -> None:
    upload = await stored_and_deleted(gateway)
    await gateway.delete(f"/upload/{upload.upload_id}?purge=true")
    assert (await purge(gateway)).purged == 0
    assert (await purge(gateway, 2 * DAY)).purged == 1
    ids = [event_id for event_id, event in await gateway.outbox() if isinstance(event, UploadDeletedV1)]
    assert len(set(ids)) == len(ids) == 3


async def test_a_removal_that_was_never_told_is_found_out(gateway: Gateway) -> None:
    upload = await stored_and_deleted(gateway)
    await gateway.objects.delete(BUCKET, upload.object_name)
    assert (await purge(gateway, 31 * DAY)).purged == 1
    assert await purges(gateway) == []
    swept = await purge(gateway, 33 * DAY)
    assert (swept.leftovers, [ref.version for ref in await purges(gateway)]) == (1, [upload.version])


async def test_what_was_derived_from_an_overwritten_version_is_removed_and_the_new_one_stays(gateway: Gateway) -> None:
    old, new = dropped("someone/a.jpg", 5), dropped("someone/a.jpg", 6)
    await gateway.hear(*walk(old))
    await gateway.hear(*walk(new), ObjectDeletedV1(upload=old, overwritten_by_generation=6))
    assert await purge(gateway, timedelta(hours=1)) == Purged()
    assert (await purge(gateway, 2 * DAY)).leftovers == 1
    assert await purges(gateway) == [old]
    assert await purge(gateway, 99 * DAY) == Purged(days=1)
    [row] = (await gateway.get("/uploads")).json()["data"]
    assert row["status"] == "completed"


async def test_an_object_its_owner_removed_takes_what_was_derived_with_it(gateway: Gateway) -> None:
    upload = dropped("someone/a.jpg")
    await gateway.hear(*walk(upload), ObjectDeletedV1(upload=upload))
    await purge(gateway, 2 * DAY)
    assert await purges(gateway) == [upload]
    assert (await purge(gateway, 40 * DAY)).forgotten == 1


async def test_one_that_came_back_is_not_forgotten(gateway: Gateway) -> None:
    old, new = dropped("someone/a.jpg", 5), dropped("someone/a.jpg", 6)
    await gateway.hear(*walk(old), ObjectDeletedV1(upload=old))
    await purge(gateway, 2 * DAY)
    await gateway.hear(*walk(new))
    assert (await purge(gateway, 99 * DAY)).forgotten == 0
    assert await rows(gateway) == 1


async def test_uploads_that_were_cut_off_are_swept_out_and_given_back(gateway: Gateway) -> None:
    session = (await gateway.post("/upload/sessions", json={"filename": "a.jpg", "size": 9})).json()["data"]
    arrived = (await gateway.post("/upload/sessions", json={"filename": "b.jpg", "size": 9})).json()["data"]
    await gateway.objects.send(arrived["session_url"], b"x" * 9)
    assert (await gateway.upload()).status_code == 202
    assert (await purge(gateway, 6 * DAY)).cut_off == 0
    await expire(gateway)
    assert (await purge(gateway)).cut_off == 1
    assert (await gateway.get(f"/upload/status/{session['upload_id']}")).status_code == 404
    assert (await gateway.get(f"/upload/status/{arrived['upload_id']}")).status_code == 200
    assert await rows(gateway, "upload_sessions") == 1
    assert (await gateway.get("/stats/me")).json()["data"]["quota"]["used"] == 2


async def expire(gateway: Gateway) -> None:
    async with gateway.database.transaction("someone") as session:
        await session.execute(text("UPDATE uploads SET expected_until = expected_until - interval '8 days'"))


async def test_expired_keys_and_old_counters_go(gateway: Gateway) -> None:
    for user in ("someone", "another"):
        await gateway.upload(JPEG, user=user, headers={"Idempotency-Key": "k"})
        async with gateway.database.transaction(user) as session:
            await session.execute(text("UPDATE daily_uploads SET day = day - 8"))
            await session.execute(text("UPDATE idempotency_keys SET expires_at = now() - interval '1 second'"))
        await gateway.upload(JPEG + b"2", user=user, headers={"Idempotency-Key": "k2"})
    swept = await purge(gateway)
    assert (swept.keys, swept.days) == (2, 2)
    assert [await rows(gateway, "idempotency_keys", user) for user in ("someone", "another")] == [1, 1]


async def test_every_user_is_purged_and_nobody_sees_more_for_it(gateway: Gateway) -> None:
    for user in ("someone", "another"):
        await gateway.hear(*walk(dropped(f"{user}/a.jpg")))
        await gateway.delete(f"/upload/{dropped(f'{user}/a.jpg').upload_id}", user)
        await gateway.hear(*walk(dropped(f"{user}/b.jpg")))
    for user in ("someone", "another"):
        await gateway.objects.put(BUCKET, f"{user}/a.jpg", b"x", "image/jpeg")
    assert (await purge(gateway, 31 * DAY)).purged == 2
    async with gateway.database.transaction() as session:
        await purging.see_due(session)
        assert await session.scalar(text("SELECT count(*) FROM uploads")) == 2, "not the living ones"
        changed = await session.execute(text("UPDATE uploads SET filename = 'x' RETURNING 1"))
        assert changed.all() == []


async def test_one_instance_purges_at_a_time(gateway: Gateway) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slow() -> Any:
        begun.set()
        await go_on.wait()

    first = asyncio.create_task(run_alone(gateway.database, PeriodicJob("purge", 1, slow)))
    await begun.wait()
    assert await run_alone(gateway.database, PeriodicJob("purge", 1, slow)) is False
    go_on.set()
    assert await first is True


async def test_the_gateway_purges_by_itself(gateway: Gateway) -> None:
    await gateway.upload(JPEG, headers={"Idempotency-Key": "k"})
    async with gateway.database.transaction("someone") as session:
        await session.execute(text("UPDATE idempotency_keys SET expires_at = now() - interval '1 second'"))
    often = replace(gateway.resources, retention=Retention(purge_every_s=0.02))
    assert JOB_NAME in {job.name for job in jobs(often)}
    async with periodically(gateway.database, [purging_job(often)]), asyncio.timeout(20):
        while await rows(gateway, "idempotency_keys"):
            await asyncio.sleep(0.02)
