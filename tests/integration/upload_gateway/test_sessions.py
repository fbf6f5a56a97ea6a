"""Files sent straight to the bucket: the session, what it fixes, what becomes of it, and that others see nothing."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from google.cloud import storage
from sqlalchemy import text

from contracts.events import MediaProcessedV1, ObjectFinalizedV1
from contracts.identifiers import new_upload_id
from objectstore.gcs import connect
from objectstore.store import CHUNK_MULTIPLE
from tests.conformance.storage_emulator.process import PROJECT, StorageProcess
from tests.integration.upload_gateway.conftest import BUCKET, JPEG, MAX_BYTES, Gateway
from tests.integration.upload_gateway.events import NOW, dropped, walk

SHA256 = hashlib.sha256(JPEG).hexdigest()
ORIGIN = "https://app.example:8443"


def wish(**changes: Any) -> dict[str, Any]:
    return {"filename": "harbour.jpg", "size": len(JPEG), "content_type": "image/jpeg"} | changes


async def opened(gateway: Gateway, user: str = "someone", query: str = "", **changes: Any) -> dict[str, Any]:
    answer = await gateway.post(f"/upload/sessions{query}", user, json=wish(**changes))
    assert answer.status_code == 201, answer.text
    return answer.json()["data"]


async def arrive(gateway: Gateway, session: dict[str, Any], content: bytes = JPEG) -> ObjectFinalizedV1:
    """The bytes are sent and the bucket tells of the object."""
    stored = await gateway.objects.send(session["session_url"], content)
    event = ObjectFinalizedV1(
        upload=dropped(stored.key, stored.generation), filename="x", size_bytes=stored.size_bytes,
        created_at=NOW, metadata=dict(stored.metadata),
    )  # fmt: skip
    await gateway.hear(event)
    return event


async def test_a_session_is_a_pending_upload_everywhere(gateway: Gateway) -> None:
    session = await opened(gateway, metadata={"album": "sea"})
    assert (session["status"], session["chunk_multiple"]) == ("pending", CHUNK_MULTIPLE)
    [row] = (await gateway.get("/uploads?status=pending")).json()["data"]
    assert (row["upload_id"], row["filename"], row["size_bytes"]) == (session["upload_id"], "harbour.jpg", len(JPEG))
    status = (await gateway.get(f"/upload/status/{session['job_id']}")).json()["data"]
    assert (status["status"], status["progress"]) == ("pending", 0)
    assert "rest of the file" in status["message"]
    again = await gateway.get(f"/upload/sessions/{session['upload_id']}")
    assert (again.json()["data"], again.headers["cache-control"]) == (session, "no-store")
    assert (await gateway.get(f"/file/{session['upload_id']}/download")).status_code == 404


async def test_the_gateway_fixes_the_object_and_the_page_that_may_send(gateway: Gateway) -> None:
    answer = await gateway.post("/upload/sessions", json=wish(filename="a/ü.jpg"), headers={"Origin": ORIGIN})
    session = answer.json()["data"]
    new, origin = gateway.objects.session(session["session_url"])
    assert (new.bucket, new.key) == (BUCKET, f"someone/{session['upload_id']}/ü.jpg")
    assert (new.size_bytes, new.media_type, origin) == (len(JPEG), "image/jpeg", ORIGIN)
    assert new.metadata == {"filename": "ü.jpg", "declared-media-type": "image/jpeg"}
    for header in ({}, {"Origin": "null"}, {"Origin": "https://a.example/x"}):
        other = await gateway.post("/upload/sessions", json=wish(), headers=header)
        assert gateway.objects.session(other.json()["data"]["session_url"])[1] is None


async def test_it_becomes_a_normal_upload_when_the_bucket_tells_of_it(gateway: Gateway) -> None:
    session = await opened(gateway, size=999, metadata={"album": "sea"})
    finalized = await arrive(gateway, session, b"x" * 999)
    status = (await gateway.get(f"/upload/status/{session['upload_id']}")).json()["data"]
    assert (status["status"], status["stage"]) == ("processing", "media-processor")
    again = (await gateway.get(f"/upload/sessions/{session['upload_id']}")).json()["data"]
    assert (again["session_url"], again["status"]) == (None, "processing")
    await gateway.hear(*walk(finalized.upload)[1:])
    metadata = (await gateway.get(f"/file/{session['upload_id']}/metadata")).json()["data"]
    assert (metadata["status"], metadata["filename"], metadata["size_bytes"]) == ("completed", "harbour.jpg", 1234)
    assert metadata["metadata"] == {"album": "sea"}


async def test_what_comes_later_under_the_name_is_not_what_was_asked_for(gateway: Gateway) -> None:
    session = await opened(gateway, sha256=SHA256)
    first = (await arrive(gateway, session)).upload
    overwritten = first.model_copy(update={"generation": first.generation + 5})
    await gateway.hear(ObjectFinalizedV1(upload=overwritten, filename="x", size_bytes=77, created_at=NOW))
    [row] = (await gateway.get("/uploads")).json()["data"]
    assert (row["size_bytes"], row["media_type"]) == (77, None)
    assert (await opened(gateway, sha256=SHA256))["upload_id"] != session["upload_id"]


BAD_WISHES: tuple[tuple[dict[str, Any], int, str], ...] = (
    ({"size": 0}, 422, "file_size"),
    ({"size": -1}, 422, "invalid_request"),
    ({"size": 2**60}, 422, "invalid_request"),
    ({"size": MAX_BYTES + 1}, 413, "file_size"),
    ({"filename": "a\x00.jpg"}, 422, "filename"),
    ({"filename": "../"}, 422, "filename"),
    ({"filename": "x" * 300}, 422, "filename"),
    ({"filename": "\ud800.jpg"}, 422, "invalid_request"),
    ({"filename": "setup.exe"}, 415, "unsupported_format"),
    ({"filename": "ARCHIVE.ZIP"}, 415, "unsupported_format"),
    ({"filename": "noextension", "content_type": "application/zip"}, 415, "unsupported_format"),
    ({"content_type": "nonsense"}, 422, "invalid_request"),
    ({"content_type": "image/jpeg\r\nx: y"}, 422, "invalid_request"),
    ({"sha256": "abc"}, 422, "invalid_request"),
    ({"metadata": [1]}, 422, "invalid_request"),
    ({"metadata": {"a": "x" * 9000}}, 422, "invalid_metadata"),
    ({"metadata": {"a": "\x00"}}, 422, "invalid_metadata"),
    ({"surprise": 1}, 422, "invalid_request"),
)
GOOD_WISHES: tuple[dict[str, Any], ...] = ({"size": "9"}, {"size": MAX_BYTES}, {"filename": "x", "content_type": None})


async def test_bad_wishes_are_refused_with_their_code_and_leave_nothing(gateway: Gateway) -> None:
    headers = {"Content-Type": "application/json"}
    for changes, status, code in BAD_WISHES:
        body = json.dumps(wish(**changes))  # httpx does not send lone surrogates, others do
        answer = await gateway.post("/upload/sessions", content=body, headers=headers)
        assert (answer.status_code, answer.json()["error"]["code"]) == (status, code), changes
    assert await gateway.count_rows("someone") == 0
    assert (await gateway.get("/stats/me")).json()["data"]["quota"]["used"] == 0
    for changes in GOOD_WISHES:
        await opened(gateway, **changes)


async def test_content_that_is_there_already_is_told_before_a_byte_is_sent(gateway: Gateway) -> None:
    first = (await gateway.upload()).json()["data"]["upload_id"]
    answer = await gateway.post("/upload/sessions", json=wish(sha256=SHA256.upper()))
    assert (answer.status_code, answer.json()["error"]["details"]["upload_id"]) == (409, first)
    await opened(gateway, query="?on_duplicate=allow", sha256=SHA256)
    await opened(gateway, "another", sha256=SHA256)
    await opened(gateway)


async def test_the_same_file_begun_twice_names_the_session_to_go_on_with(gateway: Gateway) -> None:
    session = await opened(gateway, sha256=SHA256)
    second = await gateway.post("/upload/sessions", json=wish(sha256=SHA256))
    details = second.json()["error"]["details"]
    assert (second.status_code, details["upload_id"], details["status"]) == (409, session["upload_id"], "pending")
    assert (await gateway.upload()).status_code == 409


async def test_a_duplicate_nobody_could_foresee_is_processed_all_the_same(gateway: Gateway) -> None:
    kept = (await gateway.upload()).json()["data"]["upload_id"]
    session = await opened(gateway)
    finalized = await arrive(gateway, session)
    processed = walk(finalized.upload)[1].model_copy(update={"sha256": SHA256})
    await gateway.hear(processed)
    listed = {row["upload_id"]: row["status"] for row in (await gateway.get("/uploads")).json()["data"]}
    assert listed == {kept: "pending", session["upload_id"]: "processing"}


async def test_a_sender_mistaken_about_the_content_claims_nothing(gateway: Gateway) -> None:
    session = await opened(gateway, sha256=SHA256)
    finalized = await arrive(gateway, session)
    assert (await gateway.upload()).status_code == 409
    other: MediaProcessedV1 = walk(finalized.upload)[1]
    await gateway.hear(other)
    assert other.sha256 != SHA256
    assert (await gateway.upload()).status_code == 202


async def test_a_session_called_off_is_as_if_it_had_never_been(gateway: Gateway) -> None:
    session = await opened(gateway, sha256=SHA256)
    answer = await gateway.delete(f"/upload/{session['upload_id']}")
    assert (answer.status_code, answer.json()["data"]["purged"]) == (200, True)
    with pytest.raises(KeyError):
        gateway.objects.session(session["session_url"])
    assert await gateway.count_rows("someone") == 0
    assert (await gateway.get(f"/upload/sessions/{session['upload_id']}")).status_code == 404
    assert (await gateway.get("/stats/me")).json()["data"]["quota"]["used"] == 0
    assert await gateway.outbox() == []
    await opened(gateway, sha256=SHA256)


async def test_one_deleted_while_its_notification_is_on_the_way_stays_deleted(gateway: Gateway) -> None:
    session = await opened(gateway)
    stored = await gateway.objects.send(session["session_url"], JPEG)
    answer = await gateway.delete(f"/upload/{session['upload_id']}")
    assert answer.json()["data"]["purged"] is False
    await gateway.hear(*walk(dropped(stored.key, stored.generation)))
    assert (await gateway.get("/uploads")).json()["data"] == []


async def test_a_session_lives_its_week_and_then_gives_its_content_free(gateway: Gateway) -> None:
    session = await opened(gateway, sha256=SHA256)
    await age(gateway, timedelta(days=6))
    assert (await gateway.upload()).status_code == 409
    await age(gateway, timedelta(days=2))
    again = (await gateway.get(f"/upload/sessions/{session['upload_id']}")).json()["data"]
    assert again["session_url"] is None
    assert (await gateway.upload()).status_code == 202
    assert (await gateway.get(f"/upload/status/{session['upload_id']}")).status_code == 404


async def age(gateway: Gateway, by: timedelta) -> None:
    """Everything waited for becomes older."""
    async with gateway.database.transaction("someone") as session:
        for table, column in (("uploads", "expected_until"), ("upload_sessions", "expires_at")):
            await session.execute(text(f"UPDATE {table} SET {column} = {column} - CAST(:by AS interval)"), {"by": by})


async def test_anothers_session_answers_like_a_missing_one(gateway: Gateway) -> None:
    mine = (await opened(gateway))["upload_id"]
    streamed = (await gateway.upload()).json()["data"]["upload_id"]
    answers: list[Any] = []
    for upload_id, user in ((mine, "another"), (new_upload_id("another", "x"), "another"), (streamed, "someone")):
        answer = await gateway.get(f"/upload/sessions/{upload_id}", user)
        answers.append((answer.status_code, answer.json()["error"]))
    assert answers[0] == answers[1] == answers[2]
    assert answers[0][0] == 404


@pytest.fixture(scope="module")
def bucket_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StorageProcess]:
    process = StorageProcess(tmp_path_factory.mktemp("storage"))
    process.start()
    yield process
    process.stop()


async def test_with_a_real_bucket_a_cut_upload_is_resumed_from_another_tab(
    gateway: Gateway, bucket_server: StorageProcess, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", bucket_server.url)
    client = storage.Client(project=PROJECT)
    client.create_bucket(BUCKET)
    data = JPEG + bytes(2 * CHUNK_MULTIPLE)
    async with connect(PROJECT, bucket_server.data_dir / "service-account.json") as objects:
        gateway.app.state.resources = replace(gateway.resources, objects=objects)
        answer = await gateway.post("/upload/sessions", json=wish(size=len(data)), headers={"Origin": ORIGIN})
        upload_id = answer.json()["data"]["upload_id"]
        sent = put(answer.json()["data"]["session_url"], f"bytes 0-{CHUNK_MULTIPLE - 1}/*", data[:CHUNK_MULTIPLE])
        assert sent.status_code == 308
        url = (await gateway.get(f"/upload/sessions/{upload_id}")).json()["data"]["session_url"]
        asked = put(url, f"bytes */{len(data)}")
        assert (asked.status_code, asked.headers["Range"]) == (308, f"bytes=0-{CHUNK_MULTIPLE - 1}")
        assert asked.headers["Access-Control-Allow-Origin"] == ORIGIN
        rest = put(url, f"bytes {CHUNK_MULTIPLE}-{len(data) - 1}/{len(data)}", data[CHUNK_MULTIPLE:])
        assert rest.status_code == 200
        blob = client.bucket(BUCKET).get_blob(f"someone/{upload_id}/harbour.jpg")
        assert blob is not None
        assert (blob.download_as_bytes(), blob.content_type) == (data, "image/jpeg")
        assert blob.metadata == {"filename": "harbour.jpg", "declared-media-type": "image/jpeg"}
        called_off = (await gateway.post("/upload/sessions", json=wish())).json()["data"]
        assert (await gateway.delete(f"/upload/{called_off['upload_id']}")).status_code == 200
        assert put(called_off["session_url"], f"bytes 0-{len(JPEG) - 1}/{len(JPEG)}", JPEG).status_code == 404
    client.close()


def put(url: str, content_range: str, data: bytes = b"") -> requests.Response:
    return requests.put(url, data, headers={"Content-Range": content_range, "Origin": ORIGIN}, timeout=10)
