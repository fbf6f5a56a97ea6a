"""Delete, restore, retry, process: what owners do to uploads, what is announced, and that others cannot."""

from typing import Any

import pytest

from contracts.artifacts import FailureCode, Service, UploadRef
from contracts.events import EVENTS, MediaFailedV1, UploadDeletedV1, UploadReprocessV1
from contracts.identifiers import new_upload_id
from eventing.codec import ONLY_FOR
from tests.integration.upload_gateway.conftest import BUCKET, JPEG, Gateway
from tests.integration.upload_gateway.events import dropped, walk


async def completed(gateway: Gateway, name: str = "someone/a.jpg") -> UploadRef:
    upload = dropped(name)
    await gateway.hear(*walk(upload))
    return upload


async def failed(gateway: Gateway, stage: Service, heard: int) -> UploadRef:
    upload = dropped("someone/a.jpg")
    failure = MediaFailedV1(upload=upload, stage=stage, code=FailureCode.TIMEOUT, message="Too slow.")
    await gateway.hear(*walk(upload)[:heard], failure)
    return upload


async def test_a_deleted_upload_is_gone_everywhere_and_announced_once(gateway: Gateway) -> None:
    upload = await completed(gateway)
    first = await gateway.delete(f"/upload/{upload.upload_id}")
    again = await gateway.delete(f"/upload/{upload.upload_id}")
    assert (first.status_code, first.json()["data"]) == (200, again.json()["data"])
    assert (await gateway.get("/uploads")).json()["meta"]["total"] == 0
    for path in ("upload/status/{}", "file/{}/metadata", "file/{}/thumbnail", "file/{}/download"):
        assert (await gateway.get("/" + path.format(upload.upload_id))).status_code == 404
    assert await gateway.announced(UploadDeletedV1) == [UploadDeletedV1(upload=upload)]
    assert gateway.wakes
    for event in walk(upload):
        await gateway.hear(event)
    assert (await gateway.get("/uploads")).json()["meta"]["total"] == 0


async def test_purge_is_announced_even_after_a_plain_deletion_and_cannot_be_undone(gateway: Gateway) -> None:
    upload = await completed(gateway)
    await gateway.delete(f"/upload/{upload.upload_id}")
    purged = await gateway.delete(f"/upload/{upload.upload_id}?purge=true")
    assert purged.json()["data"]["purged"] is True
    assert [event.purge for event in await gateway.announced(UploadDeletedV1)] == [False, True]
    assert (await gateway.post(f"/upload/{upload.upload_id}/restore")).json()["error"]["code"] == "gone"


async def restored(gateway: Gateway, upload: UploadRef) -> UploadReprocessV1:
    """The run that deleting and restoring begins."""
    await gateway.delete(f"/upload/{upload.upload_id}")
    answer = await gateway.post(f"/upload/{upload.upload_id}/restore")
    event = (await gateway.announced(UploadReprocessV1))[-1]
    assert (answer.status_code, answer.json()["data"]["from_stage"]) == (202, event.from_stage)
    return event


async def to_search_alone(gateway: Gateway) -> list[tuple[str, tuple[int, int]]]:
    """Topic and version of every waiting event that only search hears."""
    by_topic: dict[str, type[Any]] = {event.topic(): event for event in EVENTS}
    only = [sent for sent in await gateway.outgoing() if sent.attributes.get(ONLY_FOR, "").startswith("search.")]
    return [(sent.topic, by_topic[sent.topic].model_validate_json(sent.data).upload.version) for sent in only]


async def test_a_restored_upload_keeps_what_was_found_and_only_its_vectors_are_made_anew(gateway: Gateway) -> None:
    upload = await completed(gateway)
    event = await restored(gateway, upload)
    assert (event.upload.version, event.from_stage, event.analyzed) == ((5, 1), "embedder", walk(upload)[2])
    kept = [("media.processed.v1", (5, 1)), ("media.analyzed.v1", (5, 1))]
    assert await to_search_alone(gateway) == kept, "search deleted everything up to run 0"
    [row] = (await gateway.get("/uploads")).json()["data"]
    assert (row["status"], row["stage"], row["deleted_at"]) == ("processing", "embedder", None)
    await gateway.hear(*walk(event.upload)[3:])
    [row] = (await gateway.get("/uploads")).json()["data"]
    assert row["status"] == "completed"


async def test_an_upload_restored_before_it_was_finished_goes_on_where_it_was(gateway: Gateway) -> None:
    starts: list[tuple[str, int]] = []
    for heard in (1, 2, 3, 4):
        upload = dropped(f"someone/{heard}.jpg")
        await gateway.hear(*walk(upload)[:heard])
        before = len(await to_search_alone(gateway))
        event = await restored(gateway, upload)
        starts.append((event.from_stage.value, len(await to_search_alone(gateway)) - before))
    assert starts == [("media-processor", 0), ("analyzer", 1), ("embedder", 2), ("embedder", 2)]


async def test_an_upload_restored_twice_still_has_what_was_found_at_first(gateway: Gateway) -> None:
    upload = await completed(gateway)
    await restored(gateway, upload)
    event = await restored(gateway, upload)
    assert (event.upload.version, event.from_stage) == ((5, 2), "embedder")
    assert (await to_search_alone(gateway))[-2:] == [("media.processed.v1", (5, 2)), ("media.analyzed.v1", (5, 2))]


async def test_each_deletion_of_the_same_upload_is_news(gateway: Gateway) -> None:
    upload = await completed(gateway)
    for _ in range(2):
        await gateway.delete(f"/upload/{upload.upload_id}")
        await gateway.post(f"/upload/{upload.upload_id}/restore")
    ids = [event_id for event_id, event in await gateway.outbox() if isinstance(event, UploadDeletedV1)]
    assert len(set(ids)) == 2


async def test_content_uploaded_again_after_a_deletion_does_not_stop_the_restore(gateway: Gateway) -> None:
    first = (await gateway.upload()).json()["data"]["upload_id"]
    [name] = gateway.objects.keys(BUCKET)
    generation = (await gateway.objects.stat(BUCKET, name)).generation
    await gateway.hear(walk(dropped(name, generation))[0])
    await gateway.delete(f"/upload/{first}")
    assert (await gateway.upload()).status_code == 202
    assert (await gateway.post(f"/upload/{first}/restore")).status_code == 202
    assert (await gateway.upload()).status_code == 409


async def test_an_upload_deleted_before_its_first_event_stays_deleted(gateway: Gateway) -> None:
    upload_id = (await gateway.upload()).json()["data"]["upload_id"]
    [name] = gateway.objects.keys(BUCKET)
    generation = (await gateway.objects.stat(BUCKET, name)).generation
    assert (await gateway.delete(f"/upload/{upload_id}")).status_code == 200
    await gateway.hear(*walk(dropped(name, generation)))
    assert (await gateway.get("/uploads")).json()["data"] == []


@pytest.mark.parametrize(
    ("stage", "heard", "start"),
    [
        (Service.MEDIA_PROCESSOR, 1, "media-processor"),
        (Service.ANALYZER, 2, "analyzer"),
        (Service.ANALYZER, 1, "media-processor"),
        (Service.EMBEDDER, 3, "embedder"),
        (Service.SEARCH, 4, "embedder"),
    ],
)
async def test_retry_starts_at_the_failed_stage_or_the_last_one_that_can(
    gateway: Gateway, stage: Service, heard: int, start: str
) -> None:
    upload = await failed(gateway, stage, heard)
    answer = await gateway.post(f"/upload/{upload.upload_id}/retry")
    assert (answer.status_code, answer.json()["data"]["from_stage"]) == (202, start)
    [event] = await gateway.announced(UploadReprocessV1)
    assert (event.from_stage.value, event.upload.version) == (start, (5, 1))
    status = (await gateway.get(f"/upload/status/{upload.upload_id}")).json()["data"]
    assert (status["status"], status["stage"], status["attempts"]) == ("processing", start, 2)
    assert (await gateway.post(f"/upload/{upload.upload_id}/retry")).json()["error"]["code"] == "not_failed"


async def test_process_starts_where_it_is_told_if_that_can_be(gateway: Gateway) -> None:
    upload = await completed(gateway)
    answer = await gateway.post(f"/process/{upload.upload_id}?from_stage=embedder")
    assert answer.status_code == 202
    [event] = await gateway.announced(UploadReprocessV1)
    assert event.analyzed == walk(upload)[2]
    assert (await gateway.post(f"/process/{upload.upload_id}?from_stage=search")).status_code == 422
    fresh = (await gateway.upload(JPEG + b"!")).json()["data"]["upload_id"]
    assert (await gateway.post(f"/process/{fresh}?from_stage=analyzer")).json()["error"]["code"] == "not_ready"


OPERATIONS = (
    ("GET", "/upload/status/{}"),
    ("DELETE", "/upload/{}"),
    ("POST", "/upload/{}/restore"),
    ("POST", "/upload/{}/retry"),
    ("POST", "/process/{}"),
    ("GET", "/file/{}/metadata"),
    ("GET", "/file/{}/thumbnail"),
    ("GET", "/file/{}/preview"),
    ("GET", "/file/{}/download"),
)


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
async def test_anothers_upload_answers_like_a_missing_one(gateway: Gateway, method: str, path: str) -> None:
    upload = await completed(gateway)
    answers: list[object] = []
    for upload_id in (upload.upload_id, new_upload_id("another", "x"), "upl_x", "nul%00", "x" * 500, "%ff"):
        url = "/api/v1" + path.format(upload_id)
        response = await gateway.client.request(method, url, headers=gateway.headers("another"))
        answers.append((response.status_code, response.json()["error"]))
    assert answers == [(404, {"code": "not_found", "message": "There is no such upload.", "details": {}})] * 6
    assert await gateway.outbox() == []
