"""What every object store promises, over the one in memory and Cloud Storage's client against the emulator."""

import gzip
import hashlib
import secrets
from collections.abc import AsyncGenerator, AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
import requests
from google.cloud import storage

from objectstore.gcs import CHUNK_BYTES, connect
from objectstore.store import (
    ObjectExistsError,
    ObjectNotFoundError,
    ObjectStore,
    ObjectTooLargeError,
    ObjectUndecodableError,
    StoredObject,
    StreamDigest,
)
from objectstore.testing import MemoryObjectStore
from tests.conformance.storage_emulator.process import PROJECT, StorageProcess

BUCKET = f"bucket-{secrets.token_hex(6)}"
SIZES = [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 2 * CHUNK_BYTES, 2 * CHUNK_BYTES + 12345]


@pytest.fixture(params=["memory", "gcs"])
async def store(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[ObjectStore, None]:
    if request.param == "memory":
        yield MemoryObjectStore()
        return
    emulator: StorageProcess = request.getfixturevalue("emulator")
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", emulator.url)
    client = storage.Client(project=PROJECT)
    if client.lookup_bucket(BUCKET) is None:
        client.create_bucket(BUCKET)
    for blob in client.list_blobs(BUCKET):
        blob.delete()
    client.close()
    async with connect(PROJECT, emulator.data_dir / "service-account.json") as connected:
        yield connected


async def _chunks(data: bytes, size: int = 100_000) -> AsyncIterator[bytes]:
    for start in range(0, len(data), size):
        yield data[start : start + size]


async def _agree(_digest: StreamDigest) -> None:
    return


async def _drop_gzipped(store: ObjectStore, key: str, content: bytes) -> StoredObject:
    """As ``gsutil cp -Z`` does, in both stores."""
    return await _drop_as_gzip(store, key, gzip.compress(content))


async def _drop_as_gzip(store: ObjectStore, key: str, stored: bytes) -> StoredObject:
    """Bytes of which it is said that they are packed."""
    if isinstance(store, MemoryObjectStore):
        return store.drop_as_gzip(BUCKET, key, stored, "text/plain")
    blob = storage.Client(project=PROJECT).bucket(BUCKET).blob(key)
    blob.content_encoding = "gzip"
    blob.upload_from_string(stored, content_type="text/plain")
    return await store.stat(BUCKET, key)


async def test_an_object_comes_back_with_what_is_known_of_it(store: ObjectStore) -> None:
    stored = await store.put(BUCKET, "a/ü ?#.txt", b"hello", "text/plain", {"traceparent": "x"})
    assert await store.get(BUCKET, "a/ü ?#.txt") == b"hello"
    seen = await store.stat(BUCKET, "a/ü ?#.txt")
    assert (seen.generation, seen.size_bytes, seen.media_type) == (stored.generation, 5, "text/plain")
    assert seen.metadata == {"traceparent": "x"}


async def test_a_file_is_put_and_downloaded(store: ObjectStore, tmp_path: Path) -> None:
    (tmp_path / "in").write_bytes(b"x" * 100_000)
    stored = await store.put(BUCKET, "file", tmp_path / "in", "application/octet-stream")
    await store.download(BUCKET, "file", tmp_path / "out", 100_000, stored.generation)
    assert (tmp_path / "out").read_bytes() == b"x" * 100_000


async def test_a_download_ends_at_its_limit(store: ObjectStore, tmp_path: Path) -> None:
    await store.put(BUCKET, "file", b"x" * 100_000, "text/plain")
    with pytest.raises(ObjectTooLargeError):
        await store.download(BUCKET, "file", tmp_path / "out", 99_999)


async def test_what_is_stored_packed_is_read_unpacked_up_to_the_limit(store: ObjectStore, tmp_path: Path) -> None:
    text = b"hello " * 1_000_000
    packed = await _drop_gzipped(store, "packed.txt", text)
    assert packed.size_bytes < 100_000
    assert (await store.stat(BUCKET, "packed.txt")).size_bytes == packed.size_bytes
    await store.download(BUCKET, "packed.txt", tmp_path / "whole", len(text), packed.generation)
    assert (tmp_path / "whole").read_bytes() == text
    assert await store.get(BUCKET, "packed.txt") == text
    with pytest.raises(ObjectTooLargeError):
        await store.download(BUCKET, "packed.txt", tmp_path / "part", 100_000, packed.generation)
    assert sum(file.stat().st_size for file in tmp_path.glob("part")) <= 100_000


PACKED = gzip.compress(bytes(range(256)) * 8, 0)
NOT_WHAT_IT_SAYS = {"plain": b"not gzip", "damaged": PACKED[:12] + b"\xff" * 20 + PACKED[32:]}


@pytest.mark.parametrize("stored", NOT_WHAT_IT_SAYS.values(), ids=NOT_WHAT_IT_SAYS.keys())
async def test_what_cannot_be_unpacked_says_so(store: ObjectStore, tmp_path: Path, stored: bytes) -> None:
    await _drop_as_gzip(store, f"{len(stored)}.txt", stored)
    with pytest.raises(ObjectUndecodableError):
        await store.download(BUCKET, f"{len(stored)}.txt", tmp_path / "out", 1_000_000)
    with pytest.raises(ObjectUndecodableError):
        await store.get(BUCKET, f"{len(stored)}.txt")


async def test_a_write_never_replaces(store: ObjectStore) -> None:
    await store.put(BUCKET, "once", b"first", "text/plain")
    with pytest.raises(ObjectExistsError):
        await store.put(BUCKET, "once", b"second", "text/plain")
    with pytest.raises(ObjectExistsError):
        await store.put_stream(BUCKET, "once", _chunks(b"x" * (CHUNK_BYTES + 9)), "text/plain", {}, _agree)
    assert await store.get(BUCKET, "once") == b"first"


async def test_what_is_not_there_says_so(store: ObjectStore, tmp_path: Path) -> None:
    stored = await store.put(BUCKET, "there", b"x", "text/plain")
    to_file = store.download(BUCKET, "nope", tmp_path / "x", 1)
    for missing in (store.get(BUCKET, "nope"), store.stat(BUCKET, "nope"), to_file):
        with pytest.raises(ObjectNotFoundError):
            await missing
    with pytest.raises(ObjectNotFoundError):
        await store.download(BUCKET, "there", tmp_path / "x", 1, stored.generation + 1)
    await store.delete(BUCKET, "nope")


@pytest.mark.parametrize("size", SIZES)
async def test_a_stream_of_any_length_is_stored_whole_and_hashed(store: ObjectStore, size: int) -> None:
    data = secrets.token_bytes(size)
    digests: list[StreamDigest] = []

    async def note(digest: StreamDigest) -> None:
        digests.append(digest)

    stored = await store.put_stream(BUCKET, f"stream-{size}", _chunks(data), "image/png", {"a": "b"}, note)
    assert digests == [StreamDigest(hashlib.sha256(data).hexdigest(), size)]
    assert stored.size_bytes == size
    assert await store.get(BUCKET, f"stream-{size}") == data
    assert (await store.stat(BUCKET, f"stream-{size}")).metadata == {"a": "b"}


@pytest.mark.parametrize("size", [10, CHUNK_BYTES * 2 + 5])
async def test_a_refusal_before_the_commit_leaves_nothing(store: ObjectStore, size: int) -> None:
    async def refuse(_digest: StreamDigest) -> None:
        raise PermissionError("a duplicate")

    with pytest.raises(PermissionError):
        await store.put_stream(BUCKET, "refused", _chunks(b"x" * size), "text/plain", {}, refuse)
    with pytest.raises(ObjectNotFoundError):
        await store.stat(BUCKET, "refused")


@pytest.mark.parametrize("size", [10, CHUNK_BYTES * 2 + 5])
async def test_a_stream_that_breaks_leaves_nothing(store: ObjectStore, size: int) -> None:
    async def broken() -> AsyncIterator[bytes]:
        async for chunk in _chunks(b"x" * size):
            yield chunk
        raise EOFError("the client went away")

    with pytest.raises(EOFError):
        await store.put_stream(BUCKET, "broken", broken(), "text/plain", {}, _agree)
    with pytest.raises(ObjectNotFoundError):
        await store.stat(BUCKET, "broken")


async def test_deleting_by_generation_spares_a_newer_version(store: ObjectStore) -> None:
    stored = await store.put(BUCKET, "versioned", b"x", "text/plain")
    await store.delete(BUCKET, "versioned", stored.generation + 1)
    assert await store.get(BUCKET, "versioned") == b"x"
    await store.delete(BUCKET, "versioned", stored.generation)
    with pytest.raises(ObjectNotFoundError):
        await store.get(BUCKET, "versioned")


async def test_deleting_a_prefix_takes_everything_below_it_and_nothing_else(store: ObjectStore) -> None:
    for key in ("amy/1/a", "amy/1/b/c", "amy/10/a"):
        await store.put(BUCKET, key, b"x", "text/plain")
    assert await store.delete_prefix(BUCKET, "amy/1/") == 2
    assert await store.get(BUCKET, "amy/10/a") == b"x"


async def test_a_signed_url_serves_the_object_under_its_name(store: ObjectStore) -> None:
    await store.put(BUCKET, "amy/photo.txt", b"signed bytes", "text/plain")
    url = await store.signed_url(BUCKET, "amy/photo.txt", timedelta(minutes=5), filename="fön & co.txt")
    if isinstance(store, MemoryObjectStore):
        assert "fön & co.txt" in url
        return
    answer = requests.get(url, timeout=5)
    assert (answer.status_code, answer.content) == (200, b"signed bytes")
    assert "f%C3%B6n%20%26%20co.txt" in answer.headers["Content-Disposition"]
    assert requests.get(url.replace("photo", "other"), timeout=5).status_code == 403


async def test_a_bucket_is_listed_page_by_page_in_the_order_of_bytes(store: ObjectStore) -> None:
    names = ["a", "a/b", "a0", "z", "é", "\U0001f600"]
    for name in reversed(names):
        await store.put(BUCKET, name, name.encode(), "text/plain")
    seen: list[str] = []
    while page := await store.list_page(BUCKET, after=seen[-1] if seen else "", limit=2):
        assert len(page) <= 2
        seen += [stored.key for stored in page]
    assert seen == names
    assert [stored.size_bytes for stored in await store.list_page(BUCKET, after="a0")] == [1, 2, 4]
