"""Another model's vectors are asked for file by file; what the gateway says of the files does not change by them."""

from typing import Any

from sqlalchemy import text

from contracts.artifacts import UploadRef, Usage
from contracts.events import MediaEmbeddedV1, UploadReembedV1
from eventing.codec import ONLY_FOR
from tests.integration.upload_gateway.conftest import Gateway
from tests.integration.upload_gateway.events import dropped, walk

NEXT = "text-embedding-3-small@1536"


async def reembed(gateway: Gateway, user: str = "someone", **wish: Any) -> Any:
    answer = await gateway.post("/admin/reembed", user, json={"model_id": NEXT, **wish})
    assert answer.status_code == 202, answer.text
    return answer.json()["data"]


async def completed(gateway: Gateway, name: str, run: int = 0) -> UploadRef:
    upload = dropped(name).model_copy(update={"run": run})
    await gateway.hear(*walk(upload))
    return upload


async def test_every_analysed_file_that_is_there_is_asked_for_once(gateway: Gateway) -> None:
    uploads = [await completed(gateway, f"{user}/{n}.jpg") for user in ("someone", "another") for n in range(3)]
    deleted = await completed(gateway, "someone/gone.jpg")
    await gateway.delete(f"/upload/{deleted.upload_id}", "someone")
    await gateway.hear(*walk(dropped("someone/unread.jpg"))[:2])
    counted = await reembed(gateway, dry_run=True)
    assert (counted["matched"], await gateway.announced(UploadReembedV1)) == (6, [])
    first = await reembed(gateway, limit=4)
    second = await reembed(gateway, limit=4, after=first["next"])
    assert (first["announced"], second["announced"], second["next"]) == (4, 2, None)
    asked = await gateway.announced(UploadReembedV1)
    assert sorted(event.upload.upload_id for event in asked) == sorted(upload.upload_id for upload in uploads)
    assert {event.model_id for event in asked} == {NEXT}
    assert all(event.analyzed.upload == event.upload for event in asked)


async def test_it_belongs_to_the_run_whose_vectors_are_there(gateway: Gateway) -> None:
    upload = await completed(gateway, "someone/a.jpg")
    again = upload.model_copy(update={"run": 1})
    await gateway.post(f"/process/{upload.upload_id}", "someone", params={"from_stage": "embedder"})
    await reembed(gateway)
    await gateway.hear(*walk(again)[3:])
    await reembed(gateway)
    assert [event.upload.run for event in await gateway.announced(UploadReembedV1)] == [0, 1]


async def test_the_other_models_vectors_carry_nothing_forward_but_cost(gateway: Gateway) -> None:
    upload = dropped("someone/a.jpg")
    steps = walk(upload)
    beside: MediaEmbeddedV1 = steps[3].model_copy(
        update={"model_id": NEXT, "beside": True, "usage": Usage(input_tokens=5, cost_usd=0.5)}
    )
    await gateway.hear(*steps[:3], beside)
    waiting = (await gateway.get(f"/upload/status/{upload.upload_id}")).json()["data"]
    assert (waiting["status"], waiting["stage"]) == ("processing", "embedder")
    await gateway.hear(*steps[3:])
    before = (await gateway.get(f"/upload/status/{upload.upload_id}")).json()["data"]
    await gateway.hear(beside)
    after = (await gateway.get(f"/upload/status/{upload.upload_id}")).json()["data"]
    assert (after["status"], after["stage"]) == (before["status"], before["stage"]) == ("completed", "done")
    metadata = (await gateway.get(f"/file/{upload.upload_id}/metadata")).json()["data"]
    assert "0.75" in str(metadata), metadata


async def test_search_is_told_again_of_both_models(gateway: Gateway) -> None:
    upload = dropped("someone/a.jpg")
    steps = walk(upload)
    await gateway.hear(*steps, steps[3].model_copy(update={"model_id": NEXT, "beside": True}))
    answer = await gateway.post("/admin/reprocess", "someone", json={"status": "all", "stage": "search"})
    assert answer.json()["data"]["started"] == [upload.upload_id]
    sent = [event for event in await gateway.outgoing() if ONLY_FOR in event.attributes]
    assert sum("media.embedded.v1" in event.topic for event in sent) == 2


async def test_the_minute_has_room_for_so_many(gateway: Gateway) -> None:
    for n in range(5):
        await completed(gateway, f"someone/{n}.jpg")
    object.__setattr__(gateway.resources.repair, "reembeds_per_minute", 4)
    first = await reembed(gateway, limit=3)
    second = await reembed(gateway, limit=3, after=first["next"])
    third = await reembed(gateway, limit=3, after=second["next"])
    assert [batch["announced"] for batch in (first, second, third)] == [3, 1, 0]
    assert (third["next"], third["wait_s"] > 0) == (second["next"], True)
    async with gateway.resources.database.transaction() as session:
        assert await session.scalar(text("SELECT count(*) FROM repairs WHERE action = 'reembed'")) == 4


async def test_only_operators_may(gateway: Gateway) -> None:
    assert (await gateway.post("/admin/reembed", "another", json={"model_id": NEXT})).status_code == 403
    for wrong in (
        {},
        {"model_id": ""},
        {"model_id": "a b"},
        {"model_id": NEXT, "limit": 0},
        {"model_id": NEXT, "after": "x"},
    ):
        assert (await gateway.post("/admin/reembed", "someone", json=wrong)).status_code == 422
