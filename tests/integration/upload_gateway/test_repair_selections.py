"""Failures by cause with advice, and running many uploads again: own or everyone's, in batches, paced."""

from typing import Any

import pytest
from sqlalchemy import text

from contracts.artifacts import FailureCode, Service, UploadRef
from contracts.events import MediaFailedV1, UploadReprocessV1, UserChangedV1
from eventing.codec import ONLY_FOR
from tests.integration.upload_gateway.conftest import Gateway
from tests.integration.upload_gateway.events import dropped, walk


async def failed(
    gateway: Gateway, name: str, stage: Service = Service.ANALYZER, code: FailureCode = FailureCode.NETWORK
) -> UploadRef:
    upload = dropped(name)
    heard = {Service.MEDIA_PROCESSOR: 1, Service.ANALYZER: 2, Service.EMBEDDER: 3}[stage]
    await gateway.hear(*walk(upload)[:heard])
    await gateway.hear(MediaFailedV1(upload=upload, stage=stage, code=code, message="It broke."))
    return upload


async def reprocess(gateway: Gateway, path: str = "/admin/reprocess", user: str = "someone", **wish: Any) -> Any:
    answer = await gateway.post(path, user, json=wish)
    assert answer.status_code == 202, answer.text
    return answer.json()["data"]


async def test_failures_are_grouped_by_cause_with_advice(gateway: Gateway) -> None:
    await failed(gateway, "someone/a.jpg")
    await failed(gateway, "someone/b.jpg")
    await failed(gateway, "another/c.jpg")
    await failed(gateway, "another/d.jpg", Service.MEDIA_PROCESSOR, FailureCode.CORRUPT)
    [network, corrupt] = (await gateway.get("/admin/failures")).json()["data"]
    assert (network["code"], network["stage"], network["kind"]) == ("network", "analyzer", "image")
    assert (network["uploads"], network["users"], network["retryable"]) == (3, 2, True)
    assert network["advice"] == "A connection failed on the way. Try again."
    assert (corrupt["code"], corrupt["uploads"], corrupt["kind"], corrupt["message"]) == (
        "corrupt", 1, None, "It broke.",
    )  # fmt: skip
    own = (await gateway.get("/failures", "another")).json()["data"]
    assert sorted((group["code"], group["uploads"]) for group in own) == [("corrupt", 1), ("network", 1)]
    assert (await gateway.get("/failures", "another", params={"since": "2999-01-01T00:00:00Z"})).json()["data"] == []


async def test_everyones_failures_run_again_where_they_failed(gateway: Gateway) -> None:
    mine, theirs = await failed(gateway, "someone/a.jpg"), await failed(gateway, "another/b.jpg", Service.EMBEDDER)
    await failed(gateway, "someone/c.jpg", Service.MEDIA_PROCESSOR, FailureCode.CORRUPT)
    assert (await reprocess(gateway, dry_run=True, code="network"))["matched"] == 2
    assert await gateway.announced(UploadReprocessV1) == []
    done = await reprocess(gateway, code="network")
    assert (sorted(done["started"]), done["next"]) == (sorted([mine.upload_id, theirs.upload_id]), None)
    runs = {event.upload.upload_id: event for event in await gateway.announced(UploadReprocessV1)}
    assert {runs[mine.upload_id].from_stage, runs[theirs.upload_id].from_stage} == {"analyzer", "embedder"}
    assert (await reprocess(gateway, code="network"))["matched"] == 0


async def test_ones_own_are_the_only_ones_without_the_operators_route(gateway: Gateway) -> None:
    await failed(gateway, "someone/a.jpg")
    theirs = await failed(gateway, "another/b.jpg")
    assert (await reprocess(gateway, "/reprocess", "another"))["started"] == [theirs.upload_id]


async def test_a_chosen_stage_of_everything_of_a_kind(gateway: Gateway) -> None:
    uploads = [dropped(f"someone/{n}.jpg") for n in range(3)]
    for upload in uploads:
        await gateway.hear(*walk(upload))
    pending = dropped("someone/unread.jpg")
    await gateway.hear(walk(pending)[0])
    done = await reprocess(gateway, status="all", kind="image", stage="embedder")
    assert sorted(done["started"]) == sorted(upload.upload_id for upload in uploads)
    skipped = await reprocess(gateway, status="all", stage="embedder")
    assert skipped["skipped"][pending.upload_id] == "not_ready"


async def test_batches_follow_each_other_and_are_paced(gateway: Gateway) -> None:
    for n in range(5):
        await failed(gateway, f"someone/{n}.jpg")
    object.__setattr__(gateway.resources.repair, "reprocesses_per_minute", 4)
    first = await reprocess(gateway, limit=2)
    second = await reprocess(gateway, limit=2, after=first["next"])
    third = await reprocess(gateway, limit=2, after=second["next"])
    assert [len(batch["started"]) for batch in (first, second, third)] == [2, 2, 0]
    assert (third["next"], third["wait_s"] > 0, third["matched"]) == (second["next"], True, 1)


async def test_each_user_has_an_allowance_and_operators_have_theirs(gateway: Gateway) -> None:
    for n in range(3):
        await failed(gateway, f"another/{n}.jpg")
    object.__setattr__(gateway.resources.repair, "reprocesses_per_minute", 2)
    first = await reprocess(gateway, "/reprocess", "another", status="all")
    second = await reprocess(gateway, "/reprocess", "another", status="all", after=first["next"])
    assert [len(batch["started"]) for batch in (first, second)] == [2, 0]
    assert second["wait_s"] > 0
    assert len((await reprocess(gateway, status="all"))["started"]) == 2, "what users do leaves operators theirs"
    assert (await reprocess(gateway, status="all"))["wait_s"] > 0


async def test_search_is_told_again_what_it_should_have(gateway: Gateway) -> None:
    upload = dropped("someone/a.jpg")
    await gateway.hear(*walk(upload))
    done = await reprocess(gateway, status="all", stage="search")
    assert done["started"] == [upload.upload_id]
    sent = await gateway.outgoing()
    assert [message.attributes[ONLY_FOR] for message in sent] == [
        "search.media.processed.v1", "search.media.analyzed.v1", "search.media.embedded.v1",
    ]  # fmt: skip
    assert not {message.attributes["ce-id"] for message in sent} & {f"event-{n}" for n in range(9)}


async def test_a_suspended_user_is_out_at_once_and_everyone_hears_of_it(gateway: Gateway) -> None:
    assert (await gateway.get("/uploads", "another")).status_code == 200
    for _ in range(2):
        answer = await gateway.post("/admin/users/another/suspend")
        assert answer.json()["data"]["status"] == "suspended"
    refused = await gateway.get("/uploads", "another")
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "suspended")
    [told] = await gateway.announced(UserChangedV1)
    assert (told.user_id, told.status) == ("another", "suspended")
    await gateway.post("/admin/users/another/resume")
    assert (await gateway.get("/uploads", "another")).status_code == 200
    assert (await gateway.post("/admin/users/someone/suspend")).json()["error"]["code"] == "yourself"
    assert (await gateway.post("/admin/users/nobody/suspend")).status_code == 404


@pytest.mark.parametrize("role", ["", "operator"])
async def test_without_the_repairers_role_row_security_still_holds(gateway: Gateway, role: str) -> None:
    await gateway.hear(*walk(dropped("someone/a.jpg")))
    async with gateway.database.transaction() as session:
        await session.execute(text("SELECT set_config('app.role', :role, true)"), {"role": role})
        assert await session.scalar(text("SELECT count(*) FROM uploads")) == 0
    async with gateway.database.transaction() as session:
        await session.execute(text("SELECT set_config('app.role', 'repair', true)"))
        assert await session.scalar(text("SELECT count(*) FROM uploads")) == 1
        changed = await session.execute(text("UPDATE uploads SET filename = 'x' RETURNING upload_id"))
        assert changed.all() == [], "a repairer reads; it writes as the upload's owner"
