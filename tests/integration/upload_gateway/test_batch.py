"""Many uploads in one request: each succeeds or fails on its own, and nobody reaches another's."""

from typing import Any

from contracts.artifacts import FailureCode, Service
from contracts.events import MediaFailedV1, UploadDeletedV1, UploadReprocessV1
from tests.integration.upload_gateway.conftest import Gateway
from tests.integration.upload_gateway.events import dropped, walk


async def completed(gateway: Gateway, *names: str) -> list[str]:
    uploads = [dropped(name) for name in names]
    for upload in uploads:
        await gateway.hear(*walk(upload))
    return [upload.upload_id for upload in uploads]


async def batch(gateway: Gateway, action: str, ids: list[str], user: str = "someone", **more: Any) -> dict[str, Any]:
    answer = await gateway.post("/uploads/batch", user, json={"action": action, "upload_ids": ids}, **more)
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


async def test_each_item_has_its_own_result(gateway: Gateway) -> None:
    first, second = await completed(gateway, "someone/a.jpg", "someone/b.jpg")
    [others] = await completed(gateway, "another/c.jpg")
    done = await batch(gateway, "delete", [second, others, "nonsense", "nul\x00", first])
    assert (done["succeeded"], done["failed"]) == (2, 3)
    assert [item["ok"] for item in done["items"]] == [True, False, False, False, True]
    assert done["items"][1]["error"] == done["items"][2]["error"]
    assert done["items"][1]["error"]["code"] == "not_found"
    assert (await gateway.get("/uploads")).json()["meta"]["total"] == 0
    assert (await gateway.get("/uploads", "another")).json()["meta"]["total"] == 1
    assert [event.upload.upload_id for event in await gateway.announced(UploadDeletedV1)] == [second, first]


async def test_restore_and_retry(gateway: Gateway) -> None:
    first, second = await completed(gateway, "someone/a.jpg", "someone/b.jpg")
    await batch(gateway, "delete", [first])
    restored = await batch(gateway, "restore", [first, second])
    assert [item["error"] and item["error"]["code"] for item in restored["items"]] == [None, "not_deleted"]
    broken = dropped("someone/c.jpg")
    failure = MediaFailedV1(upload=broken, stage=Service.ANALYZER, code=FailureCode.TIMEOUT, message="Too slow.")
    await gateway.hear(*walk(broken)[:2], failure)
    retried = await batch(gateway, "retry", [broken.upload_id, second])
    assert [item["ok"] for item in retried["items"]] == [True, False]
    assert retried["items"][1]["error"]["code"] == "not_failed"
    stages = [event.from_stage.value for event in await gateway.announced(UploadReprocessV1)]
    assert stages == ["embedder", "analyzer"]


NO_WISHES: tuple[Any, ...] = (
    {"action": "delete", "upload_ids": []},
    {"action": "delete", "upload_ids": ["x"] * 2},
    {"action": "delete", "upload_ids": [str(n) for n in range(101)]},
    {"action": "delete", "upload_ids": ["x" * 65]},
    {"action": "delete", "upload_ids": "upl_x"},
    {"action": "purge", "upload_ids": ["x"]},
    {"upload_ids": ["x"]},
    {"action": "delete", "upload_ids": ["x"], "more": 1},
    [],
)


async def test_a_wish_that_is_none_is_refused_whole(gateway: Gateway) -> None:
    for wish in NO_WISHES:
        answer = await gateway.post("/uploads/batch", json=wish)
        assert (answer.status_code, answer.json()["error"]["code"]) == (422, "invalid_request"), wish


async def test_a_repeated_batch_is_carried_out_once(gateway: Gateway) -> None:
    [upload_id] = await completed(gateway, "someone/a.jpg")
    key = {"Idempotency-Key": "k"}
    first = await batch(gateway, "delete", [upload_id], headers=key)
    await gateway.post(f"/upload/{upload_id}/restore")
    assert await batch(gateway, "delete", [upload_id], headers=key) == first
    assert (await gateway.get("/uploads")).json()["meta"]["total"] == 1
