"""Upload sessions with real bytes: cut and resumed, of the right size only, and from the right page only."""

import os
import secrets
import socket
from collections.abc import AsyncGenerator
from urllib.parse import urlsplit

import pytest
import requests
from google.cloud import storage

from objectstore.gcs import GcsObjectStore, connect
from objectstore.store import CHUNK_MULTIPLE, NewObject, ObjectExistsError, ObjectNotFoundError
from objectstore.testing import MemoryObjectStore
from tests.conformance.storage_emulator.process import PROJECT, StorageProcess

BUCKET = f"sessions-{secrets.token_hex(6)}"
ORIGIN = "https://app.example:8443"


@pytest.fixture
async def store(emulator: StorageProcess, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[GcsObjectStore, None]:
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", emulator.url)
    client = storage.Client(project=PROJECT)
    if client.lookup_bucket(BUCKET) is None:
        client.create_bucket(BUCKET)
    client.close()
    async with connect(PROJECT, emulator.data_dir / "service-account.json") as connected:
        yield connected


def new(size: int) -> NewObject:
    key = f"amy/upl_x/{secrets.token_hex(4)} ü.bin"
    return NewObject(BUCKET, key, size, "application/octet-stream", {"traceparent": "00-ab", "filename": "ü"})


def send(url: str, content_range: str, data: bytes = b"", **headers: str) -> requests.Response:
    return requests.put(url, data, headers={"Content-Range": content_range, **headers}, timeout=10)


async def test_a_cut_connection_is_resumed_and_the_object_is_as_it_was_fixed(store: GcsObjectStore) -> None:
    data = os.urandom(5 * CHUNK_MULTIPLE + 777)
    wanted = new(len(data))
    url = await store.open_session(wanted)
    target = urlsplit(url)
    head = (
        f"PUT {target.path}?{target.query} HTTP/1.1\r\nHost: {target.netloc}\r\nContent-Length: {len(data)}\r\n"
        f"Content-Range: bytes 0-{len(data) - 1}/{len(data)}\r\nX-Goog-Meta-Filename: forged\r\n\r\n"
    )
    with socket.create_connection((target.hostname, target.port)) as connection:
        connection.sendall(head.encode() + data[: 3 * CHUNK_MULTIPLE + 1000])
    asked = send(url, f"bytes */{len(data)}")
    assert asked.status_code == 308
    at = int(asked.headers["Range"].removeprefix("bytes=0-")) + 1
    assert at in (CHUNK_MULTIPLE, 2 * CHUNK_MULTIPLE, 3 * CHUNK_MULTIPLE)
    with pytest.raises(ObjectNotFoundError):
        await store.stat(BUCKET, wanted.key)
    assert send(url, f"bytes {at}-{len(data) - 1}/{len(data)}", data[at:]).status_code == 200
    stored = await store.stat(BUCKET, wanted.key)
    assert (stored.size_bytes, stored.metadata) == (len(data), wanted.metadata)
    assert stored.media_type == "application/octet-stream"
    assert await store.get(BUCKET, wanted.key) == data


@pytest.mark.parametrize("actual", [CHUNK_MULTIPLE, 3 * CHUNK_MULTIPLE])
@pytest.mark.parametrize("told", [True, False], ids=["with its range", "without a range"])
async def test_another_size_than_announced_is_refused(store: GcsObjectStore, actual: int, told: bool) -> None:
    wanted = new(2 * CHUNK_MULTIPLE)
    url = await store.open_session(wanted)
    data = os.urandom(actual)
    headers = {"Content-Range": f"bytes 0-{actual - 1}/{actual}"} if told else {}
    assert requests.put(url, data, headers=headers, timeout=10).status_code == 400
    with pytest.raises(ObjectNotFoundError):
        await store.stat(BUCKET, wanted.key)


async def test_a_session_never_replaces_an_object(store: GcsObjectStore) -> None:
    wanted = new(3)
    url = await store.open_session(wanted)
    await store.put(BUCKET, wanted.key, b"first", "text/plain")
    assert send(url, "bytes 0-2/3", b"two").status_code == 412
    assert await store.get(BUCKET, wanted.key) == b"first"
    with pytest.raises(ObjectExistsError):
        await store.open_session(wanted)


async def test_a_cancelled_session_takes_nothing_and_cancelling_twice_is_fine(store: GcsObjectStore) -> None:
    url = await store.open_session(new(3))
    await store.cancel_session(url)
    await store.cancel_session(url)
    assert send(url, "bytes 0-2/3", b"two").status_code == 404


async def test_browsers_may_send_from_the_page_it_was_opened_for_and_no_other(store: GcsObjectStore) -> None:
    data = os.urandom(CHUNK_MULTIPLE + 5)
    wanted = new(len(data))
    url = await store.open_session(wanted, ORIGIN)
    asked = {"Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "content-range,content-type"}
    preflight = requests.options(url, headers={"Origin": ORIGIN, **asked}, timeout=5)
    assert preflight.ok
    assert preflight.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert "PUT" in preflight.headers["Access-Control-Allow-Methods"]
    assert "content-range" in preflight.headers["Access-Control-Allow-Headers"].lower()
    other = requests.options(url, headers={"Origin": "https://evil.example", **asked}, timeout=5)
    assert "Access-Control-Allow-Origin" not in other.headers
    total = len(data)
    chunk = send(url, f"bytes 0-{CHUNK_MULTIPLE - 1}/{total}", data[:CHUNK_MULTIPLE], Origin=ORIGIN)
    assert (chunk.status_code, chunk.headers["Access-Control-Allow-Origin"]) == (308, ORIGIN)
    assert "Range" in chunk.headers["Access-Control-Expose-Headers"]
    last = send(url, f"bytes {CHUNK_MULTIPLE}-{total - 1}/{total}", data[CHUNK_MULTIPLE:], Origin=ORIGIN)
    assert (last.status_code, last.headers["Access-Control-Allow-Origin"]) == (200, ORIGIN)


async def test_without_an_origin_no_page_may_use_the_session(store: GcsObjectStore) -> None:
    url = await store.open_session(new(3))
    answer = send(url, "bytes 0-2/3", b"two", Origin=ORIGIN)
    assert answer.status_code == 200
    assert "Access-Control-Allow-Origin" not in answer.headers


async def test_the_store_in_memory_keeps_the_same_rules() -> None:
    store, wanted = MemoryObjectStore(), new(3)
    url = await store.open_session(wanted, ORIGIN)
    assert store.session(url) == (wanted, ORIGIN)
    with pytest.raises(ValueError, match="bytes"):
        await store.send(url, b"four")
    await store.send(url, b"two")
    assert (await store.stat(BUCKET, wanted.key)).metadata == wanted.metadata
    with pytest.raises(ObjectExistsError):
        await store.open_session(wanted)
