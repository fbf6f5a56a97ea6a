"""POST /upload: what goes in, what is refused, and that what is refused leaves nothing behind."""

import asyncio
from collections.abc import AsyncIterator, MutableMapping
from dataclasses import replace
from typing import Any

import httpx2
import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from objectstore.store import StoredObject, StoreUnavailableError
from objectstore.testing import MemoryObjectStore
from tests.integration.upload_gateway.conftest import BUCKET, JPEG, MAX_BYTES, Gateway
from upload_gateway import claiming, multipart

BOUNDARY = "limit"
FORM = {"content-type": f"multipart/form-data; boundary={BOUNDARY}"}


def part(content: bytes, disposition: str = 'name="file"; filename="a.jpg"', end: bool = True) -> bytes:
    body = f"--{BOUNDARY}\r\nContent-Disposition: form-data; {disposition}\r\n\r\n".encode() + content + b"\r\n"
    return body + (f"--{BOUNDARY}--\r\n".encode() if end else b"")


async def refused(gateway: Gateway, response: httpx2.Response, status: int, code: str) -> dict[str, Any]:
    """The error, after checking that nothing was created."""
    body = response.json()
    assert (response.status_code, body["status"], body["error"]["code"]) == (status, "error", code)
    assert gateway.objects.keys(BUCKET) == []
    assert await gateway.count_rows("someone") == 0
    return body["error"]


async def test_a_file_becomes_an_object_and_a_pending_upload(gateway: Gateway) -> None:
    response = await gateway.upload(data={"metadata": '{"album": "sea"}'})
    assert response.status_code == 202
    accepted = response.json()["data"]
    upload_id = accepted["upload_id"]
    assert accepted == {
        "upload_id": upload_id,
        "job_id": upload_id.replace("upl_", "job_"),
        "status": "queued",
        "estimated_time": 2.0,
    }
    [name] = gateway.objects.keys(BUCKET)
    assert name == f"someone/{upload_id}/harbour.jpg"
    stored = await gateway.objects.stat(BUCKET, name)
    assert await gateway.objects.get(BUCKET, name) == JPEG
    assert stored.media_type == "image/jpeg"
    assert stored.metadata["filename"] == "harbour.jpg"
    status = (await gateway.get(f"/upload/status/{accepted['job_id']}")).json()["data"]
    assert (status["status"], status["progress"], status["message"]) == ("pending", 0, "Waiting to be read.")
    metadata = (await gateway.get(f"/file/{upload_id}/metadata")).json()["data"]
    assert (metadata["metadata"], metadata["generation"]) == ({"album": "sea"}, stored.generation)
    assert metadata["size_bytes"] == len(JPEG)


@pytest.mark.parametrize("first", [True, False])
async def test_metadata_may_stand_before_or_after_the_file(gateway: Gateway, first: bool) -> None:
    fields = [part(JPEG, end=False), part(b'{"a": 1}', 'name="metadata"', end=False)]
    body = b"".join(reversed(fields) if first else fields) + f"--{BOUNDARY}--\r\n".encode()
    upload_id = (await gateway.post("/upload", content=body, headers=FORM)).json()["data"]["upload_id"]
    assert (await gateway.get(f"/file/{upload_id}/metadata")).json()["data"]["metadata"] == {"a": 1}


async def test_the_same_bytes_again_are_refused_unless_allowed(gateway: Gateway) -> None:
    first = (await gateway.upload()).json()["data"]["upload_id"]
    again = await gateway.upload(filename="copy.jpg")
    assert (again.status_code, again.json()["error"]["code"]) == (409, "duplicate")
    assert again.json()["error"]["details"]["upload_id"] == first
    assert (await gateway.upload(query="?on_duplicate=allow")).status_code == 202
    assert (await gateway.upload(user="another")).status_code == 202
    await gateway.delete(f"/upload/{first}")
    assert (await gateway.upload()).status_code == 409  # the allowed copy is still there


async def test_of_parallel_uploads_of_the_same_bytes_one_wins(gateway: Gateway) -> None:
    answers = await asyncio.gather(*(gateway.upload(filename=f"{n}.jpg") for n in range(6)))
    assert sorted(answer.status_code for answer in answers) == [202] + [409] * 5
    assert len(gateway.objects.keys(BUCKET)) == 1
    assert await gateway.count_rows("someone") == 1


async def test_an_upload_that_was_cut_off_does_not_block_its_content(gateway: Gateway) -> None:
    cut_off = (await gateway.upload()).json()["data"]["upload_id"]
    [name] = gateway.objects.keys(BUCKET)
    await gateway.objects.delete(BUCKET, name)
    async with gateway.database.transaction("someone") as session:
        await session.execute(text("UPDATE uploads SET generation = 0, created_at = created_at - interval '1 hour'"))
    assert (await gateway.upload()).status_code == 202
    assert (await gateway.get(f"/upload/status/{cut_off}")).status_code == 404


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"MZ\x90\x00\x03" * 9, "a Windows program"),
        (b"PK\x03\x04" + b"\0" * 26 + b"notes.txt" + b"\0" * 9, "a ZIP archive"),
        (b"\0\1\2\3\4\5\6\7" * 9, "binary data of no known format"),
        (b'<?xml version="1.0"?>\n<svg xmlns="x"></svg>', "an SVG drawing"),
    ],
)
async def test_a_type_we_do_not_take_is_named(gateway: Gateway, content: bytes, found: str) -> None:
    error = await refused(gateway, await gateway.upload(content), 415, "unsupported_format")
    assert error["details"] == {"found": found}


async def test_an_empty_file_is_refused(gateway: Gateway) -> None:
    await refused(gateway, await gateway.upload(b""), 422, "file_size")


@pytest.mark.parametrize(
    "filename", [b"a\0b.jpg", b"a\x07b.jpg", b"..", b"", b" ", b"../", ("x" * 300 + ".jpg").encode(), b"\x7f.jpg"]
)
async def test_unusable_names_are_refused(gateway: Gateway, filename: bytes) -> None:
    body = part(JPEG).replace(b"a.jpg", filename)
    await refused(gateway, await gateway.post("/upload", content=body, headers=FORM), 422, "filename")


@pytest.mark.parametrize(
    ("offered", "kept"),
    [
        ("../../etc/passwd.jpg", "passwd.jpg"),
        ("C:\\photos\\sea.jpg", "sea.jpg"),
        ("gpj\u202eexe.jpg", "gpjexe.jpg"),
        ("写真 №1 <b>.jpg", "写真 №1 <b>.jpg"),
        ("cafe\u0301.jpg", "caf\u00e9.jpg"),
        ("%2e%2e%2fa.jpg", "%2e%2e%2fa.jpg"),
    ],
)
async def test_dangerous_names_are_neutralised_and_strange_ones_kept(gateway: Gateway, offered: str, kept: str) -> None:
    body = part(JPEG).replace(b"a.jpg", offered.encode())
    response = await gateway.post("/upload", content=body, headers=FORM)
    upload_id = response.json()["data"]["upload_id"]
    assert gateway.objects.keys(BUCKET) == [f"someone/{upload_id}/{kept}"]
    assert (await gateway.get("/uploads")).json()["data"][0]["filename"] == kept


async def test_the_longest_name_fits_its_object_and_is_shown_whole(gateway: Gateway) -> None:
    name = "\U0001f30a" * 251 + ".jpg"
    body = part(JPEG).replace(b"a.jpg", name.encode())
    assert (await gateway.post("/upload", content=body, headers=FORM)).status_code == 202
    [stored] = gateway.objects.keys(BUCKET)
    assert len(stored.encode()) <= 1024
    assert stored.endswith(".jpg")
    assert (await gateway.get("/uploads")).json()["data"][0]["filename"] == name


async def test_an_announced_oversize_is_refused_before_the_body_is_read(gateway: Gateway) -> None:
    async def body() -> AsyncIterator[bytes]:
        raise AssertionError("the body was read")
        yield b""

    request = gateway.client.build_request("POST", "/api/v1/upload", headers=gateway.headers() | FORM, content=body())
    request.headers["content-length"] = str(MAX_BYTES * 2)
    error = await refused(gateway, await gateway.client.send(request), 413, "file_size")
    assert error["details"] == {"max_bytes": MAX_BYTES}


async def test_an_oversize_with_a_lying_length_is_refused_as_soon_as_it_shows(gateway: Gateway) -> None:
    sent = 0

    async def body() -> AsyncIterator[bytes]:
        nonlocal sent
        yield part(JPEG, end=False)[:-2]
        for _ in range(1000):
            sent += 256 * 1024
            yield b"x" * 256 * 1024

    request = gateway.client.build_request("POST", "/api/v1/upload", headers=gateway.headers() | FORM, content=body())
    request.headers["content-length"] = "1000"
    await refused(gateway, await gateway.client.send(request), 413, "file_size")
    assert sent < 4 * MAX_BYTES


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not multipart at all",
        part(JPEG, end=False),
        part(JPEG)[:-9],
        part(JPEG, 'name="other"; filename="a.jpg"'),
        part(JPEG, 'name="file"'),
        part(JPEG, end=False) + part(JPEG),
        b"".join(part(b"1", f'name="f{n}"', end=False) for n in range(40)) + part(JPEG),
    ],
)
async def test_a_broken_body_is_a_clear_error(gateway: Gateway, body: bytes) -> None:
    await refused(gateway, await gateway.post("/upload", content=body, headers=FORM), 400, "bad_multipart")


@pytest.mark.parametrize("content_type", ["application/json", "multipart/form-data", "multipart/form-data; boundary="])
async def test_anything_but_a_form_is_a_clear_error(gateway: Gateway, content_type: str) -> None:
    response = await gateway.post("/upload", content=part(JPEG), headers={"content-type": content_type})
    await refused(gateway, response, 400, "bad_multipart")


@pytest.mark.parametrize(
    "metadata", ["[1]", "{", '"x"', '{"a": NaN}', '{"a": "\\u0000"}', '{"a": "\\ud800"}', "[" * 8000]
)
async def test_metadata_must_be_an_object_that_can_be_kept(gateway: Gateway, metadata: str) -> None:
    await refused(gateway, await gateway.upload(data={"metadata": metadata}), 422, "invalid_metadata")


@pytest.mark.parametrize(("field", "code"), [("metadata", "invalid_metadata"), ("other", "invalid_request")])
async def test_an_overlong_field_is_refused(gateway: Gateway, field: str, code: str) -> None:
    error = await refused(gateway, await gateway.upload(data={field: '{"a": "' + "x" * 9000 + '"}'}), 422, code)
    assert error["message"] == f"“{field}” is longer than 8 KiB."


async def test_a_client_that_goes_away_leaves_nothing(gateway: Gateway) -> None:
    messages: list[dict[str, Any]] = [
        {"type": "http.request", "body": part(JPEG * 200, end=False), "more_body": True},
        {"type": "http.disconnect"},
    ]
    sent: list[MutableMapping[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return messages.pop(0) if messages else {"type": "http.disconnect"}

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    headers = [(k.encode(), v.encode()) for k, v in (gateway.headers() | FORM).items()]
    headers = [(name.lower(), value) for name, value in headers]
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "scheme": "http",
        "path": "/api/v1/upload", "raw_path": b"/api/v1/upload", "query_string": b"", "root_path": "",
        "headers": headers, "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80), "state": {},
    }  # fmt: skip
    await gateway.app(scope, receive, send)
    assert sent[0]["status"] == 400
    assert gateway.objects.keys(BUCKET) == []
    assert await gateway.count_rows("someone") == 0


class FailingStore(MemoryObjectStore):
    """Goes away between the row and the object."""

    async def put(self, *args: Any, **kwargs: Any) -> StoredObject:
        raise StoreUnavailableError("gone")


async def test_a_store_that_goes_away_is_503_and_leaves_no_row(gateway: Gateway) -> None:
    gateway.app.state.resources = replace(gateway.resources, objects=FailingStore())
    response = await gateway.upload()
    await refused(gateway, response, 503, "unavailable")
    assert response.headers["retry-after"] == "5"


async def test_a_row_that_could_not_be_removed_makes_way_for_the_same_file(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Storage and database are full at the same time: on one machine they share a disk."""
    gateway.app.state.resources = replace(gateway.resources, objects=FailingStore())
    with monkeypatch.context() as full:
        full.setattr(claiming, "forget_unstored", full_database)
        assert (await gateway.upload()).status_code == 503
    [left] = (await gateway.get("/uploads")).json()["data"]
    gateway.app.state.resources = replace(gateway.app.state.resources, objects=gateway.objects)
    assert (await gateway.upload()).status_code == 202
    assert (await gateway.get(f"/upload/status/{left['upload_id']}")).status_code == 404
    assert (await gateway.get("/stats/me")).json()["data"]["quota"]["used"] == 1
    assert gateway.app.state.resources.unstored == set()


async def full_database(*_: object) -> bool:
    raise OperationalError("DELETE", {}, Exception("could not extend file: No space left on device"))


async def test_without_a_credential_nothing_is_read(gateway: Gateway) -> None:
    response = await gateway.client.post("/api/v1/upload", files={"file": ("a.jpg", JPEG)})
    await refused(gateway, response, 401, "unauthenticated")


async def whole_once(go_on: asyncio.Event, content: bytes) -> AsyncIterator[bytes]:
    """A form whose end is sent only when it may be."""
    yield part(content, end=False)
    await go_on.wait()
    yield f"--{BOUNDARY}--\r\n".encode()


async def test_a_user_sends_so_many_at_once_and_the_next_when_one_has_arrived(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway.resources.places, "per_user", 2)
    monkeypatch.setattr(gateway.resources.places, "in_all", 3)
    go_on = asyncio.Event()

    def send(number: int, user: str) -> asyncio.Task[httpx2.Response]:
        content = whole_once(go_on, JPEG + str(number).encode())
        return asyncio.create_task(gateway.post("/upload", user, content=content, headers=FORM))

    first = [send(number, "someone") for number in range(2)]
    while gateway.resources.places.taken < 2:
        await asyncio.sleep(0.01)
    for query in ("", "?on_duplicate=allow"):
        refused = await gateway.upload(JPEG + b"more", query=query, headers={"Idempotency-Key": "k"})
        assert (refused.status_code, refused.json()["error"]["code"]) == (429, "too_many_uploads")
        assert int(refused.headers["retry-after"]) > 0
    first.append(send(3, "another"))
    while gateway.resources.places.taken < 3:
        await asyncio.sleep(0.01)
    busy = await gateway.upload(JPEG + b"more", user="another")
    assert (busy.status_code, busy.json()["error"]["code"]) == (503, "busy")
    assert int(busy.headers["retry-after"]) > 0
    go_on.set()
    assert [answer.status_code for answer in await asyncio.gather(*first)] == [202] * 3
    assert (await gateway.upload(JPEG + b"more", headers={"Idempotency-Key": "k"})).status_code == 202


async def test_a_sender_that_falls_silent_leaves_nothing_and_its_place(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(multipart, "SILENCE_S", 0.05)
    content = whole_once(asyncio.Event(), JPEG * 100)
    answer = await gateway.post("/upload", content=content, headers=FORM)
    assert (answer.status_code, answer.json()["error"]["code"]) == (408, "body_too_slow")
    assert gateway.resources.places.taken == 0
    assert (await gateway.count_rows("someone"), gateway.objects.keys(BUCKET)) == (0, [])
