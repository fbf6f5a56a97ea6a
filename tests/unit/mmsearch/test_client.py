"""The client against a server that speaks the API's envelopes, good and bad."""

import json
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest

from mmsearch.client import Client
from mmsearch.errors import ApiError, UnreachableError
from mmsearch.models import SearchFilters
from tests.unit.mmsearch.api import TRACE, UPLOAD_ID, Api

MIB = 1024 * 1024
ACCEPTED = {"upload_id": UPLOAD_ID, "job_id": "job_1", "status": "queued", "estimated_time": 2.5}
STATUS = {"upload_id": UPLOAD_ID, "job_id": "job_1", "stage": "analyzer", "progress": 40, "message": "…", "new": 1}


def ignored(_: float) -> None:
    """A pause, or progress, that takes no time."""


@pytest.fixture
def client(api: Api) -> Iterator[Client]:
    with Client(api.url, "sk_key") as client:
        yield client


def test_an_upload_is_a_multipart_field_with_the_key(api: Api, client: Client, tmp_path: Path) -> None:
    api.will_answer("POST /api/v1/upload", ACCEPTED)
    file = tmp_path / "zwei wörter.txt"
    file.write_text("hello")
    accepted = client.upload(file)
    assert (accepted.upload_id, accepted.status, accepted.estimated_time) == (UPLOAD_ID, "queued", 2.5)
    asked = api.asked[0]
    assert asked.headers["X-API-Key"] == "sk_key"
    assert asked.headers["Content-Type"].startswith("multipart/form-data")
    assert 'name="file"; filename="zwei wörter.txt"'.encode() in asked.start
    assert b"\r\n\r\nhello\r\n" in asked.start


def test_a_name_that_is_no_text_is_sent_readable(api: Api, client: Client, tmp_path: Path) -> None:
    api.will_answer("POST /api/v1/upload", ACCEPTED)
    file = Path(str(tmp_path / "a") + "\udcff.txt")
    file.write_text("x")
    client.upload(file)
    assert b'filename="a?.txt"' in api.asked[0].start


def test_a_big_file_is_never_in_memory_and_its_progress_is_told(api: Api, client: Client, tmp_path: Path) -> None:
    api.will_answer("POST /api/v1/upload", ACCEPTED)
    file = tmp_path / "big.bin"
    with file.open("wb") as big:
        big.truncate(64 * MIB)
    sent: list[int] = []
    tracemalloc.start()
    try:
        client.upload(file, on_progress=sent.append)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert 64 * MIB < api.asked[0].size < 64 * MIB + 1000
    assert "Transfer-Encoding" not in api.asked[0].headers
    assert peak < 8 * MIB
    assert sent == sorted(sent)
    assert sent[-1] == 64 * MIB


def test_a_duplicate_can_be_allowed(api: Api, client: Client, tmp_path: Path) -> None:
    api.will_refuse("POST /api/v1/upload", 409, "duplicate", "You have this file already.")
    api.will_answer("POST /api/v1/upload", ACCEPTED)
    file = tmp_path / "a.txt"
    file.write_text("x")
    with pytest.raises(ApiError, match="You have this file already") as refused:
        client.upload(file)
    assert (refused.value.status, refused.value.code, refused.value.details) == (409, "duplicate", {"a": 1})
    assert refused.value.trace_id == TRACE
    assert client.upload(file, allow_duplicate=True).upload_id == UPLOAD_ID
    assert api.asked[1].path == "/api/v1/upload?on_duplicate=allow"


def test_waits_until_an_upload_has_ended(api: Api, client: Client) -> None:
    path = f"GET /api/v1/upload/status/{UPLOAD_ID}"
    api.will_answer(path, {**STATUS, "status": "pending"})
    api.will_answer(path, {**STATUS, "status": "processing"})
    error = {"code": "corrupt", "message": "Cannot be read.", "advice": "Send another copy.", "retryable": False}
    api.will_answer(path, {**STATUS, "status": "failed", "error": error, "trace_id": TRACE})
    ended = client.pausing(ignored).wait(UPLOAD_ID)
    assert ended.status == "failed"
    assert ended.error is not None
    assert ended.error.code == "corrupt"
    assert ended.trace_id == TRACE


def test_waiting_has_an_end(api: Api, client: Client) -> None:
    api.will_answer(f"GET /api/v1/upload/status/{UPLOAD_ID}", {**STATUS, "status": "processing"})
    with pytest.raises(TimeoutError, match="is still processing"):
        client.wait(UPLOAD_ID, timeout_s=0.01)


def test_waiting_asks_less_and_less_often(api: Api, client: Client) -> None:
    path = f"GET /api/v1/upload/status/{UPLOAD_ID}"
    for _ in range(30):
        api.will_answer(path, {**STATUS, "status": "processing"})
    api.will_answer(path, {**STATUS, "status": "completed"})
    pauses: list[float] = []
    client.pausing(pauses.append).wait(UPLOAD_ID)
    assert pauses == sorted(pauses)
    assert (pauses[0], pauses[-1]) == (0.25, 5.0)
    assert sum(pauses[:10]) > 25


def test_waiting_outlasts_a_system_that_starts_again(api: Api, client: Client) -> None:
    path = f"GET /api/v1/upload/status/{UPLOAD_ID}"
    api.answers[path] = [(502, b"<html>"), (504, b"<html>")]
    api.will_answer(path, {**STATUS, "status": "completed"})
    assert client.pausing(ignored).wait(UPLOAD_ID).status == "completed"


@pytest.mark.parametrize(("status", "code"), [(429, "rate_limited"), (503, "unavailable")])
def test_whoever_is_told_to_come_later_does(api: Api, client: Client, status: int, code: str) -> None:
    path = "POST /api/v1/upload/a/restore"
    api.will_refuse(path, status, code, "Later.", Retry_After="30")
    api.will_refuse(path, status, code, "Later.", Retry_After="30")
    api.will_answer(path, {"upload_id": "a", "run": 1, "from_stage": "analyzer"})
    pauses: list[float] = []
    assert client.pausing(pauses.append).restore("a").run == 1
    assert pauses == [30, 30]


def test_the_router_s_own_refusal_says_when_to_come_too(api: Api, client: Client) -> None:
    path = "GET /api/v1/uploads"
    api.answers[path], api.headers[path] = [(503, b"<html>")], {"Retry-After": "7"}
    api.will_answer(path, [])
    pauses: list[float] = []
    assert client.pausing(pauses.append).uploads().total == 0
    assert pauses == [7]


def test_patience_has_an_end(api: Api, client: Client) -> None:
    api.will_refuse("GET /api/v1/uploads", 503, "unavailable", "In a moment.")
    pauses: list[float] = []
    with pytest.raises(ApiError, match="In a moment"):
        client.pausing(pauses.append).uploads()
    assert pauses == sorted(pauses)
    assert 90 < sum(pauses) <= 120


def test_who_is_told_to_come_tomorrow_is_told_so_at_once(api: Api, client: Client) -> None:
    api.will_refuse("GET /api/v1/uploads", 429, "daily_quota", "Tomorrow.", Retry_After="40000")
    with pytest.raises(ApiError, match="Tomorrow"):
        client.pausing(ignored).uploads()
    assert len(api.asked) == 1


def test_an_upload_that_is_sent_again_is_sent_whole(api: Api, client: Client, tmp_path: Path) -> None:
    api.will_refuse("POST /api/v1/upload", 503, "unavailable", "In a moment.", Retry_After="5")
    api.will_answer("POST /api/v1/upload", ACCEPTED)
    file = tmp_path / "a.txt"
    file.write_text("hello")
    client.pausing(ignored).upload(file, on_progress=ignored)
    assert [b"\r\n\r\nhello\r\n" in asked.start for asked in api.asked] == [True, True]


def test_search_asks_and_understands(api: Api, client: Client) -> None:
    found = {
        "upload_id": UPLOAD_ID, "filename": "a.pdf", "file_type": "document", "similarity_score": 0.8,
        "created_at": "2026-11-21T10:00:00Z", "summary": None,
        "moments": [{"text": "t", "score": 0.5, "page": 3, "start_s": None, "end_s": None}],
    }  # fmt: skip
    api.will_answer("POST /api/v1/search", {"results": [found], "search_id": "s", "processing_time_ms": 1.5})
    answer = client.search("a “b”", limit=5, mode="keyword", filters=SearchFilters(file_types=("document",)))
    assert answer.results[0].moments[0].page == 3
    assert json.loads(api.asked[0].start) == {
        "query": "a “b”",
        "limit": 5,
        "offset": 0,
        "mode": "keyword",
        "sort": "relevance",
        "file_types": ["document"],
    }


def test_a_text_is_read_to_its_end(api: Api, client: Client) -> None:
    path = f"GET /api/v1/file/{UPLOAD_ID}/text"
    api.will_answer(path, {"parts": [{"text": "one", "page": 1}], "next": 4})
    api.will_answer(path, {"parts": [{"text": " two", "page": 1, "continues": True}], "next": None})
    assert [(part.text, part.continues) for part in client.text(UPLOAD_ID)] == [("one", False), (" two", True)]
    assert [asked.path.partition("?")[2] for asked in api.asked] == ["after=-1", "after=4"]


def test_lists_uploads_with_what_the_envelope_says_of_the_rest(api: Api, client: Client) -> None:
    upload = {"upload_id": UPLOAD_ID, "filename": "a", "status": "completed", "created_at": "2026-11-21T10:00:00Z"}
    api.will_answer("GET /api/v1/uploads", [upload], {"total": 41, "has_more": True})
    page = client.uploads(limit=1, offset=2, status="completed")
    assert (len(page.uploads), page.total, page.has_more) == (1, 41, True)
    assert api.asked[0].path == "/api/v1/uploads?limit=1&offset=2&status=completed"


def test_an_id_is_one_part_of_the_path(api: Api, client: Client) -> None:
    api.will_answer("DELETE /api/v1/upload/a%2F..%2Fb", None)
    client.delete("a/../b")
    assert api.asked[0].path == "/api/v1/upload/a%2F..%2Fb"


@pytest.mark.parametrize(("status", "body"), [(200, b"<html>"), (502, b"<html>"), (200, b'{"a": 1}'), (500, b"")])
def test_what_is_no_envelope_is_an_error_of_its_own(api: Api, client: Client, status: int, body: bytes) -> None:
    api.answers["GET /api/v1/uploads"] = [(status, body)]
    with pytest.raises(ApiError, match=f"HTTP {status} without") as refused:
        client.uploads()
    assert refused.value.code == "unexpected_answer"


def test_an_answer_of_another_shape_names_the_fields(api: Api, client: Client) -> None:
    api.will_answer("POST /api/v1/search", {"results": []})
    with pytest.raises(ApiError, match="processing_time_ms, search_id"):
        client.search("x")


def test_nobody_there_is_a_sentence() -> None:
    with Client("http://127.0.0.1:1", "sk_key") as client, pytest.raises(UnreachableError, match=r"127\.0\.0\.1:1"):
        client.uploads()
