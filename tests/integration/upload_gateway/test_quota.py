"""How many files a day: counted exactly, given back when nothing came of it, not overrun by parallel requests."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from contracts.artifacts import FailureCode
from contracts.events import ObjectFinalizedV1, UploadReprocessV1
from objectstore.store import StoredObject, StoreUnavailableError
from objectstore.testing import MemoryObjectStore
from tests.integration.upload_gateway.conftest import BUCKET, JPEG, Gateway
from tests.integration.upload_gateway.events import dropped, walk
from tests.integration.upload_gateway.test_repair_selections import failed, reprocess
from upload_gateway.quota import DailyQuotas


def limited(gateway: Gateway, **limits: int) -> None:
    gateway.app.state.resources = replace(gateway.resources, quotas=DailyQuotas(**limits))


async def used(gateway: Gateway) -> int:
    return (await gateway.get("/stats/me")).json()["data"]["quota"]["used"]


def session(size: int = 9) -> dict[str, Any]:
    return {"filename": "a.jpg", "size": size}


async def test_every_way_in_counts_and_the_day_s_end_is_told(gateway: Gateway) -> None:
    limited(gateway, pro=2)
    assert (await gateway.upload()).status_code == 202
    assert (await gateway.post("/upload/sessions", json=session())).status_code == 201
    for refused in (await gateway.upload(JPEG + b"2"), await gateway.post("/upload/sessions", json=session())):
        assert (refused.status_code, refused.json()["error"]["code"]) == (429, "daily_quota")
        assert 0 < int(refused.headers["retry-after"]) <= 86400
    quota = (await gateway.get("/stats/me")).json()["data"]["quota"]
    midnight = (datetime.now(UTC) + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    assert (quota["limit"], quota["used"]) == (2, 2)
    assert datetime.fromisoformat(quota["resets_at"]) == midnight
    assert (await gateway.upload(user="another")).status_code == 202


async def test_parallel_requests_cannot_overrun_it(gateway: Gateway) -> None:
    limited(gateway, pro=5)
    begun = [gateway.upload(JPEG + str(number).encode()) for number in range(8)]
    begun += [gateway.post("/upload/sessions", json=session()) for _ in range(8)]
    answers = await asyncio.gather(*begun)
    statuses = [answer.status_code for answer in answers]
    assert len([status for status in statuses if status < 300]) == 5
    assert statuses.count(429) == 11
    assert (await used(gateway), await gateway.count_rows("someone")) == (5, 5)
    assert len(gateway.objects.keys(BUCKET)) == statuses.count(202)


class Gone(MemoryObjectStore):
    """Storage that is away between the row and the object."""

    async def put(self, *_args: Any, **_kwargs: Any) -> StoredObject:
        raise StoreUnavailableError("gone")


async def test_what_is_refused_is_not_counted(gateway: Gateway) -> None:
    assert (await gateway.upload()).status_code == 202
    for refused in (
        await gateway.upload(),
        await gateway.upload(b""),
        await gateway.upload(b"MZ\x90\x00"),
        await gateway.upload(JPEG + b"2", data={"metadata": "["}),
    ):
        assert refused.status_code in (409, 415, 422)
    gateway.app.state.resources = replace(gateway.resources, objects=Gone())
    assert (await gateway.upload(JPEG + b"3")).status_code == 503
    assert await used(gateway) == 1


async def test_drops_are_counted_once_and_never_refused(gateway: Gateway) -> None:
    limited(gateway, pro=1)
    for name in ("someone/a.jpg", "someone/b.jpg"):
        await gateway.hear(*walk(dropped(name)))
    overwritten = dropped("someone/a.jpg", 9)
    await gateway.hear(walk(overwritten)[0])
    assert await used(gateway) == 3
    assert (await gateway.get("/uploads")).json()["meta"]["total"] == 2
    assert (await gateway.upload()).status_code == 429


async def test_an_upload_is_not_counted_again_when_its_notification_comes(gateway: Gateway) -> None:
    await gateway.upload()
    [name] = gateway.objects.keys(BUCKET)
    stored = await gateway.objects.stat(BUCKET, name)
    event = ObjectFinalizedV1(
        upload=dropped(name, stored.generation), filename="a.jpg", size_bytes=1, created_at=stored.created_at
    )
    await gateway.hear(event)
    assert await used(gateway) == 1


async def test_nobodys_drop_is_nobodys_count(gateway: Gateway) -> None:
    await gateway.hear(walk(dropped("ghost/a.jpg"))[0])
    assert (await gateway.get("/admin/rejected")).json()["meta"]["total"] == 1
    async with gateway.database.transaction("ghost") as opened:
        assert await opened.scalar(text("SELECT count(*) FROM daily_uploads")) == 0


async def used_by_another(gateway: Gateway) -> int:
    return (await gateway.get("/stats/me", "another")).json()["data"]["quota"]["used"]


async def test_runs_that_users_begin_count_like_files_and_end_with_the_day(gateway: Gateway) -> None:
    limited(gateway, pro=4)
    done, broken = dropped("another/done.jpg"), await failed(gateway, "another/broken.jpg", code=FailureCode.TIMEOUT)
    await gateway.hear(*walk(done))
    assert await used_by_another(gateway) == 2
    for path in (f"/process/{done.upload_id}", f"/upload/{broken.upload_id}/retry"):
        assert (await gateway.post(path, "another")).status_code == 202
    runs = len(await gateway.announced(UploadReprocessV1))
    refused = await gateway.post(f"/process/{done.upload_id}", "another")
    assert (refused.status_code, refused.json()["error"]["code"]) == (429, "daily_quota")
    assert int(refused.headers["retry-after"]) > 0
    wish = {
        "action": "retry",
        "upload_ids": [(await failed(gateway, "another/b.jpg", code=FailureCode.TIMEOUT)).upload_id],
    }
    [item] = (await gateway.post("/uploads/batch", "another", json=wish)).json()["data"]["items"]
    assert item["error"]["code"] == "daily_quota"
    everything = await reprocess(gateway, "/reprocess", "another", status="all")
    assert (everything["started"], set(everything["skipped"].values())) == ([], {"daily_quota"})
    assert len(await gateway.announced(UploadReprocessV1)) == runs
    told = await reprocess(gateway, "/reprocess", "another", status="all", stage="search")
    assert done.upload_id in told["started"], "nothing is computed"


async def test_what_operators_run_again_is_on_nobodys_day(gateway: Gateway) -> None:
    limited(gateway, pro=1)
    theirs, own = dropped("another/a.jpg"), dropped("someone/a.jpg")
    await gateway.hear(*walk(theirs), *walk(own))
    assert (await gateway.post(f"/process/{own.upload_id}")).status_code == 202
    assert len((await reprocess(gateway, status="all"))["started"]) == 2
    assert (await used(gateway), await used_by_another(gateway)) == (1, 1)


@pytest.mark.parametrize("code", [FailureCode.NETWORK, FailureCode.QUOTA_EXCEEDED])
async def test_a_retry_after_trouble_that_cost_nothing_is_not_counted(gateway: Gateway, code: FailureCode) -> None:
    limited(gateway, pro=1)
    upload = await failed(gateway, "another/a.jpg", code=code)
    assert (await gateway.post(f"/upload/{upload.upload_id}/retry", "another")).status_code == 202
    assert await used_by_another(gateway) == 1


async def test_what_was_deleted_comes_back_on_a_spent_day_but_not_again_and_again(gateway: Gateway) -> None:
    limited(gateway, pro=1)
    upload = dropped("another/a.jpg")
    await gateway.hear(*walk(upload))
    answers: list[int] = []
    for _ in range(2):
        await gateway.delete(f"/upload/{upload.upload_id}", "another")
        answers.append((await gateway.post(f"/upload/{upload.upload_id}/restore", "another")).status_code)
    assert answers == [202, 429]
    async with gateway.database.transaction("another") as opened:
        await opened.execute(text("UPDATE daily_uploads SET day = day - 1"))
    assert (await gateway.post(f"/upload/{upload.upload_id}/restore", "another")).status_code == 202


async def test_yesterday_does_not_count(gateway: Gateway) -> None:
    limited(gateway, pro=1)
    await gateway.upload()
    async with gateway.database.transaction("someone") as opened:
        await opened.execute(text("UPDATE daily_uploads SET day = day - 1"))
    assert (await gateway.upload(JPEG + b"2")).status_code == 202


async def test_a_tier_nobody_knows_is_the_smallest(gateway: Gateway) -> None:
    limits = DailyQuotas(1, 2, 3)
    assert [limits.of(tier) for tier in ("free", "pro", "enterprise", "gold")] == [1, 2, 3, 1]
    limited(gateway, pro=0)
    assert (await gateway.upload()).status_code == 429
