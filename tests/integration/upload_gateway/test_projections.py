"""What is heard becomes rows: the whole walk, drops of nobody, deletions, dead letters, and whose rows are seen."""

from itertools import permutations

import pytest
from sqlalchemy import text

from contracts.artifacts import FailureCode, Service, UploadRef, Usage
from contracts.events import (
    DeadLetterV1,
    MediaAnalyzedV1,
    MediaEmbeddedV1,
    MediaFailedV1,
    MediaIndexedV1,
    MediaProcessedV1,
    ObjectDeletedV1,
    ObjectFinalizedV1,
    UploadDeletedV1,
)
from contracts.identifiers import ownership
from eventing.errors import Poison
from tests.integration.upload_gateway.conftest import BUCKET, Gateway
from tests.integration.upload_gateway.events import NOW, dropped, walk


@pytest.mark.parametrize("folder", ["someone/holiday/", "someone/", "ghost/holiday/", "holiday/", "/"])
async def test_a_folders_placeholder_is_no_upload_of_anybody(gateway: Gateway, folder: str) -> None:
    owner = ownership(BUCKET, folder)
    upload = UploadRef(
        upload_id=owner.upload_id, user_id=owner.user_id, bucket=BUCKET, object_name=folder, generation=1
    )
    placeholder = ObjectFinalizedV1(upload=upload, filename=owner.filename, size_bytes=0, created_at=NOW)
    assert await gateway.hear(placeholder) == []
    assert await gateway.count_rows(owner.user_id) == 0
    assert (await gateway.get("/stats/me")).json()["data"]["quota"]["used"] == 0
    assert (await gateway.get("/admin/rejected")).json()["data"] == []


async def test_what_is_written_where_a_folder_is_is_a_file(gateway: Gateway) -> None:
    file = dropped("someone/holiday/")
    await gateway.hear(ObjectFinalizedV1(upload=file, filename="", size_bytes=1, created_at=NOW))
    assert await gateway.count_rows("someone") == 1


async def test_a_drop_walks_to_completed(gateway: Gateway) -> None:
    events = walk(dropped("someone/holiday/harbour.jpg"))
    seen: list[tuple[str, str, int]] = []
    for event in events:
        assert await gateway.hear(event) == []
        [row] = (await gateway.get("/uploads")).json()["data"]
        seen.append((row["status"], row["stage"], row["progress"]))
    assert (seen[0], seen[-1]) == (("processing", "media-processor", 10), ("completed", "done", 100))
    upload_id = events[0].upload.upload_id
    status = (await gateway.get(f"/upload/status/{upload_id}")).json()["data"]
    assert status["result"]["title"] == "Harbour at dawn"
    assert status["result"]["thumbnail_url"] == f"/api/v1/file/{upload_id}/thumbnail"
    assert status["trace_id"] == "ab" * 16
    assert set(status["timings"]) == {"media-processor", "analyzer", "embedder", "search"}
    metadata = (await gateway.get(f"/file/{upload_id}/metadata")).json()["data"]
    assert (metadata["properties"]["width"], metadata["usage"]["input_tokens"]) == (640, 7)
    assert (metadata["dimensions"], metadata["duration_s"]) == ({"width": 640, "height": 480}, None)
    assert metadata["cost_usd"] == 0.25
    assert metadata["processing_time_ms"] >= 4
    stages = [(stage["stage"], stage["run"], stage["usage"]["cost_usd"]) for stage in metadata["stages"]]
    assert stages == [("media-processor", 0, 0), ("analyzer", 0, 0.25), ("embedder", 0, 0), ("search", 0, 0)]
    assert {stage["stage"]: stage["seconds"] for stage in metadata["stages"]} == metadata["timings"]


@pytest.mark.parametrize("order", list(permutations(range(5)))[::17])
async def test_any_order_gives_the_same_row(gateway: Gateway, order: tuple[int, ...]) -> None:
    events = walk(dropped("someone/harbour.jpg"))
    await gateway.hear(*(events[index] for index in order), *(events[index] for index in order[:2]))
    [row] = (await gateway.get("/uploads")).json()["data"]
    assert (row["status"], row["progress"], row["title"]) == ("completed", 100, "Harbour at dawn")


@pytest.mark.parametrize("name", ["ghost/a.jpg", "lonely.jpg", "x/a.jpg", "unknown/a.jpg"])
async def test_a_drop_of_nobody_is_kept_for_operators_and_forgotten_by_search(gateway: Gateway, name: str) -> None:
    upload = dropped(name)
    finalized, processed, *_ = walk(upload)
    announced = await gateway.hear(finalized, processed)
    assert announced == [UploadDeletedV1(upload=upload)]
    assert (await gateway.get("/uploads")).json()["data"] == []
    body = (await gateway.get("/admin/rejected")).json()
    [rejected] = body["data"]
    assert (rejected["object_name"], rejected["status"], rejected["error"]["code"]) == (name, "failed", "unknown_owner")
    assert "user_id" in rejected["error"]["advice"]
    assert body["meta"]["total"] == 1
    assert (await gateway.get("/admin/rejected", "another")).status_code == 403


async def test_operators_see_rejected_uploads_only_and_not_those_of_others(gateway: Gateway) -> None:
    await gateway.hear(*walk(dropped("another/a.jpg")))
    assert (await gateway.get("/admin/rejected")).json()["data"] == []


async def test_an_object_that_is_gone_is_gone_from_lists_and_announced(gateway: Gateway) -> None:
    upload = dropped("someone/a.jpg")
    await gateway.hear(*walk(upload))
    assert await gateway.hear(ObjectDeletedV1(upload=upload)) == [UploadDeletedV1(upload=upload)]
    assert (await gateway.get("/uploads")).json()["data"] == []
    assert (await gateway.get("/uploads?status=deleted")).json()["data"] == []  # it cannot be brought back
    assert (await gateway.get(f"/upload/status/{upload.upload_id}")).status_code == 404
    restored = await gateway.post(f"/upload/{upload.upload_id}/restore")
    assert (restored.status_code, restored.json()["error"]["code"]) == (409, "gone")


async def test_an_overwritten_object_is_the_same_upload_in_a_new_version(gateway: Gateway) -> None:
    old = dropped("someone/a.jpg", 5)
    new = dropped("someone/a.jpg", 6)
    assert old.upload_id == new.upload_id
    await gateway.hear(*walk(old))
    await gateway.hear(ObjectDeletedV1(upload=old, overwritten_by_generation=6), walk(new)[0])
    [row] = (await gateway.get("/uploads")).json()["data"]
    assert (row["status"], row["title"], row["thumbnail_url"]) == ("processing", None, None)


async def test_what_a_failed_file_cost_is_shown(gateway: Gateway) -> None:
    upload = dropped("someone/a.jpg")
    paid = Usage(input_tokens=7, cost_usd=0.25)
    failed = MediaFailedV1(
        upload=upload, stage=Service.ANALYZER, code=FailureCode.PROVIDER_INVALID, message="No.", usage=paid
    )
    await gateway.hear(*walk(upload)[:2], failed)
    assert (await gateway.get(f"/file/{upload.upload_id}/metadata")).json()["data"]["cost_usd"] == 0.25
    assert (await gateway.get("/stats/me")).json()["data"]["cost_usd"] == 0.25


async def test_a_failure_shows_reason_advice_and_stage(gateway: Gateway) -> None:
    upload = dropped("someone/a.jpg")
    failed = MediaFailedV1(
        upload=upload, stage=Service.MEDIA_PROCESSOR, code=FailureCode.ENCRYPTED, message="A password is needed."
    )
    await gateway.hear(walk(upload)[0], failed)
    status = (await gateway.get(f"/upload/status/{upload.upload_id}")).json()["data"]
    assert (status["status"], status["message"]) == ("failed", "A password is needed.")
    assert status["error"] == {
        "code": "encrypted",
        "message": "A password is needed.",
        "advice": "Remove the password from the file and upload it again.",
        "retryable": False,
        "stage": "media-processor",
    }


async def test_a_dead_letter_fails_its_upload_without_showing_the_inside(gateway: Gateway) -> None:
    upload = dropped("someone/a.jpg")
    await gateway.hear(*walk(upload)[:2])
    letter = DeadLetterV1(
        source_subscription="analyzer.media.processed.v1", stage=Service.ANALYZER, code=FailureCode.INTERNAL,
        reason="KeyError: secret", attempts=5, upload=upload,
    )  # fmt: skip
    await gateway.hear(letter, letter)
    [row] = (await gateway.get("/uploads")).json()["data"]
    assert (row["status"], row["stage"], row["attempts"]) == ("failed", "analyzer", 5)
    assert "secret" not in str(row)
    assert row["error"]["retryable"]


async def test_a_dead_letter_with_a_cause_shows_it(gateway: Gateway) -> None:
    upload = dropped("someone/a.jpg")
    letter = DeadLetterV1(
        source_subscription="embedder.media.analyzed.v1", code=FailureCode.QUOTA_EXCEEDED,
        reason="The day's budget is used up.", upload=upload,
    )  # fmt: skip
    await gateway.hear(letter)
    [row] = (await gateway.get("/uploads")).json()["data"]
    assert (row["status"], row["message"]) == ("failed", "The day's budget is used up.")


@pytest.mark.parametrize(
    ("subscription", "status"),
    [
        ("upload-gateway.media.indexed.v1", "failed"),
        ("upload-gateway.media.processed.v1", "processing"),
        ("search.upload.deleted.v1", "processing"),
        ("search.media.embedded.v1", "failed"),
        ("nobody.knows.v1", "processing"),
    ],
)
async def test_only_dead_letters_that_stop_an_upload_fail_it(gateway: Gateway, subscription: str, status: str) -> None:
    upload = dropped("someone/a.jpg")
    await gateway.hear(*walk(upload)[:4])
    await gateway.hear(
        DeadLetterV1(source_subscription=subscription, code=FailureCode.INTERNAL, reason="x", upload=upload)
    )
    [row] = (await gateway.get("/uploads")).json()["data"]
    assert row["status"] == status


async def test_a_dead_letter_about_nothing_changes_nothing(gateway: Gateway) -> None:
    await gateway.hear(DeadLetterV1(source_subscription="unknown", code=FailureCode.INTERNAL, reason="not JSON"))
    assert await gateway.count_rows("someone") == 0


async def test_an_event_that_names_another_owner_is_poison(gateway: Gateway) -> None:
    upload = dropped("someone/a.jpg")
    await gateway.hear(walk(upload)[0])
    with pytest.raises(Poison):
        await gateway.hear(walk(upload.model_copy(update={"user_id": "another"}))[1])


async def test_row_security_holds_without_a_where_clause(gateway: Gateway) -> None:
    await gateway.hear(
        *walk(dropped("someone/a.jpg")), *walk(dropped("another/b.jpg")), walk(dropped("ghost/c.jpg"))[0]
    )
    assert await gateway.count_rows("someone") == 1
    assert await gateway.count_rows("another") == 1
    assert await gateway.count_rows("") == 0
    async with gateway.database.transaction("someone") as session:
        changed = await session.execute(text("UPDATE uploads SET filename = 'mine' RETURNING user_id"))
        assert changed.scalars().all() == ["someone"]


async def test_names_of_drops_are_harmless_to_show_and_characters_postgres_cannot_hold_are_replaced(
    gateway: Gateway,
) -> None:
    upload = dropped("someone/evil\u202egpj.\x07exe")
    finalized, processed, analyzed, *_ = walk(upload)
    assert isinstance(analyzed, MediaAnalyzedV1)
    await gateway.hear(finalized, processed, analyzed.model_copy(update={"summary": "a\0b"}))
    [row] = (await gateway.get("/uploads")).json()["data"]
    assert (row["filename"], row["summary"]) == ("evilgpj.\ufffdexe", "a\ufffdb")


def test_the_walk_of_these_tests_is_the_pipelines() -> None:
    upload = dropped("someone/a.jpg")
    assert [type(event) for event in walk(upload)] == [
        ObjectFinalizedV1, MediaProcessedV1, MediaAnalyzedV1, MediaEmbeddedV1, MediaIndexedV1,
    ]  # fmt: skip
    assert isinstance(upload, UploadRef)
    assert ownership(BUCKET, upload.object_name).upload_id == upload.upload_id
