"""Objects by the official client: uploads of every form, downloads, conditions, listing, copying."""

import base64
import gzip
import hashlib
import io
import os
from collections.abc import Callable
from typing import Any

import pytest
import requests
from google.api_core.exceptions import (
    BadRequest,
    GoogleAPICallError,
    NotFound,
    PreconditionFailed,
)
from google.cloud import storage
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conformance.storage_emulator.conftest import open_session
from tests.conformance.storage_emulator.process import StorageProcess

MIB = 1024 * 1024


@pytest.mark.parametrize("size", [0, 1, 300_000, 3 * MIB])
def test_round_trip(bucket: storage.Bucket, size: int) -> None:
    data = os.urandom(size)
    blob = bucket.blob("x")
    blob.metadata = {"traceparent": "00-abc", "naïve": "ünï"}
    blob.upload_from_string(data, content_type="image/jpeg", checksum="md5")
    assert blob.download_as_bytes(checksum="md5") == data
    found = bucket.get_blob("x")
    assert found is not None
    assert (found.size, found.content_type, found.generation) == (size, "image/jpeg", blob.generation)
    assert found.metadata == {"traceparent": "00-abc", "naïve": "ünï"}
    assert found.md5_hash == base64.b64encode(hashlib.md5(data).digest()).decode()


@pytest.mark.parametrize("size", [1, 256 * 1024, 512 * 1024, 9 * MIB, 9 * MIB + 5])
def test_resumable_forms(bucket: storage.Bucket, size: int) -> None:
    """Unknown size, an exact multiple of the chunk, a file object for writing, one request of more than 8 MiB."""
    data = os.urandom(size)
    unknown = bucket.blob("unknown", chunk_size=256 * 1024)
    unknown.upload_from_file(io.BytesIO(data))
    assert unknown.download_as_bytes() == data
    writer: Any = bucket.blob("written").open("wb", chunk_size=512 * 1024)
    with writer as file:
        file.write(data)
    assert bucket.blob("written").download_as_bytes() == data
    whole = bucket.blob("whole")
    whole.upload_from_file(io.BytesIO(data), size=size)
    assert whole.download_as_bytes() == data


def test_aborted_writer_creates_nothing(bucket: storage.Bucket) -> None:
    def write_and_fail() -> None:
        writer: Any = bucket.blob("aborted").open("wb")
        with writer as file:
            file.write(b"x" * MIB)
            raise ValueError("abort")

    with pytest.raises(ValueError, match="abort"):
        write_and_fail()
    assert not bucket.blob("aborted").exists()


def test_ranges_and_reading_as_a_file(bucket: storage.Bucket) -> None:
    data = os.urandom(2 * MIB + 17)
    blob = bucket.blob("x", chunk_size=256 * 1024)
    blob.upload_from_string(data)
    assert blob.download_as_bytes(start=5, end=9) == data[5:10]
    assert bucket.blob("x").download_as_bytes(start=-10) == data[-10:]
    assert blob.download_as_bytes(start=2 * MIB) == data[2 * MIB :]
    with blob.open("rb", chunk_size=256 * 1024) as file:
        assert file.read() == data
        file.seek(MIB)
        assert file.read(7) == data[MIB : MIB + 7]


def test_range_headers(bucket: storage.Bucket, emulator: StorageProcess, http: requests.Session) -> None:
    bucket.blob("x").upload_from_string(b"0123456789")
    url = f"{emulator.url}/download/storage/v1/b/{bucket.name}/o/x?alt=media"

    def get(header: str) -> requests.Response:
        return http.get(url, headers={"Range": header}, timeout=5)

    answer = get("bytes=2-4")
    assert (answer.status_code, answer.content, answer.headers["Content-Range"]) == (206, b"234", "bytes 2-4/10")
    past = get("bytes=10-")
    assert (past.status_code, past.headers["Content-Range"]) == (416, "bytes */10")
    assert get("bytes=8-99").content == b"89"
    assert get("lines=1-2").status_code == 200
    head = http.head(url, timeout=5)
    assert (head.status_code, head.headers["Content-Length"], head.content) == (200, "10", b"")


CONDITIONS: list[dict[str, int]] = [{"if_generation_match": 5}, {"if_metageneration_match": 7}]


@pytest.mark.parametrize("conditions", CONDITIONS, ids=str)
def test_conditions_that_do_not_hold(bucket: storage.Bucket, conditions: dict[str, Any]) -> None:
    blob = bucket.blob("x")
    blob.upload_from_string(b"one")
    other = bucket.blob("other")
    other.upload_from_string(b"other")
    size = 9 * MIB
    source = {key.replace("if_", "if_source_"): value for key, value in conditions.items()}
    attempts: list[Callable[[], object]] = [
        lambda: blob.upload_from_string(b"two", **conditions),
        lambda: blob.upload_from_file(io.BytesIO(bytes(size)), size=size, **conditions),
        lambda: blob.download_as_bytes(**conditions),
        lambda: blob.reload(**conditions),
        lambda: blob.patch(**conditions),
        lambda: blob.update(**conditions),
        lambda: blob.delete(**conditions),
        lambda: blob.compose([other], **conditions),
        lambda: blob.rewrite(other, **conditions),
        lambda: blob.rewrite(other, **source),
        lambda: bucket.copy_blob(other, bucket, "x", **conditions),
        lambda: bucket.move_blob(other, "x", **conditions),
    ]
    for attempt in attempts:
        with pytest.raises(PreconditionFailed):
            attempt()
    assert blob.download_as_bytes() == b"one"


def test_not_match_conditions(bucket: storage.Bucket, emulator: StorageProcess, http: requests.Session) -> None:
    blob = bucket.blob("x")
    blob.upload_from_string(b"one")
    with pytest.raises(PreconditionFailed):
        blob.upload_from_string(b"two", if_generation_not_match=blob.generation)
    with pytest.raises(PreconditionFailed):
        blob.delete(if_metageneration_not_match=1)
    for path in (f"/storage/v1/b/{bucket.name}/o/x?", f"/download/storage/v1/b/{bucket.name}/o/x?alt=media&"):
        url = f"{emulator.url}{path}ifGenerationNotMatch="
        assert http.get(f"{url}{blob.generation}", timeout=5).status_code == 304
        assert http.get(f"{url}1", timeout=5).status_code == 200


def test_create_only_and_generations(bucket: storage.Bucket) -> None:
    blob = bucket.blob("x")
    blob.upload_from_string(b"one", if_generation_match=0)
    with pytest.raises(PreconditionFailed):
        bucket.blob("x").upload_from_string(b"two", if_generation_match=0)
    first = int(blob.generation or 0)
    blob.upload_from_string(b"two", if_generation_match=first)
    assert int(blob.generation or 0) > first
    with pytest.raises(NotFound):
        bucket.blob("x", generation=first).download_as_bytes()
    assert bucket.blob("x", generation=blob.generation).download_as_bytes() == b"two"


def test_wrong_checksums_create_nothing(bucket: storage.Bucket, emulator: StorageProcess) -> None:
    blob: Any = bucket.blob("x")
    blob.crc32c = "AAAAAA=="
    with pytest.raises(BadRequest, match="CRC32C"):
        blob.upload_from_string(b"data", checksum=None)
    url = f"{emulator.url}/upload/storage/v1/b/{bucket.name}/o?uploadType=media&name=x"
    for headers in ({"x-goog-hash": "crc32c=AAAAAA=="}, {"x-goog-hash": "md5=AAAAAAAAAAAAAAAAAAAAAA=="}):
        answer = requests.post(url, b"data", headers=headers, timeout=5)
        assert answer.status_code == 400
        assert "doesn't match calculated" in answer.json()["error"]["message"]
    session = open_session(bucket.blob("x"))
    final = requests.put(session, b"data", headers={"x-goog-hash": "crc32c=AAAAAA=="}, timeout=5)
    assert final.status_code == 400
    assert not bucket.blob("x").exists()
    assert not [path for path in (emulator.data_dir / "bodies").glob("??/*") if path.read_bytes() == b"data"]


def test_truncated_multipart_creates_nothing(bucket: storage.Bucket, emulator: StorageProcess) -> None:
    url = f"{emulator.url}/upload/storage/v1/b/{bucket.name}/o?uploadType=multipart"
    head = '--b\r\nContent-Type: application/json\r\n\r\n{"name": "x"}\r\n--b\r\n\r\n'
    headers = {"Content-Type": "multipart/related; boundary=b"}
    assert requests.post(url, head + "data", headers=headers, timeout=5).status_code == 400
    assert not bucket.blob("x").exists()
    assert requests.post(url, head + "data\r\n--b--", headers=headers, timeout=5).status_code == 200
    assert bucket.blob("x").download_as_bytes() == b"data"


def test_patch_and_update(bucket: storage.Bucket) -> None:
    blob = bucket.blob("x")
    blob.metadata = {"a": "1", "b": "2"}
    blob.cache_control = "no-store"
    blob.upload_from_string(b"x", content_type="text/plain")
    blob.metadata = {"a": None, "c": "3"}
    blob.patch()
    found = bucket.get_blob("x")
    assert found is not None
    assert found.metadata == {"b": "2", "c": "3"}
    assert (found.cache_control, found.metageneration, found.generation) == ("no-store", 2, blob.generation)
    found.cache_control = None
    found.update()
    again = bucket.get_blob("x")
    assert again is not None
    assert again.cache_control is None
    found.metadata = {"long": "x" * 9000}
    with pytest.raises(BadRequest, match="metadata"):
        found.patch()


def test_listing(client: storage.Client, bucket: storage.Bucket) -> None:
    names = ["a/1", "a/2", "a/b/3", "b", "c/4", "c", "ünï/5", "z"]
    for name in names:
        bucket.blob(name).upload_from_string(name)

    def listed(**options: Any) -> list[str]:
        return [found.name for found in client.list_blobs(bucket, **options)]

    assert listed() == sorted(names)
    assert listed(page_size=3) == sorted(names)
    assert listed(max_results=2) == sorted(names)[:2]
    assert listed(prefix="a/") == ["a/1", "a/2", "a/b/3"]
    assert listed(start_offset="b", end_offset="z") == ["b", "c", "c/4"]
    assert listed(fields="items(name),nextPageToken", page_size=2) == sorted(names)
    for page_size in (1, 2, 3, 100):
        iterator: Any = client.list_blobs(bucket, delimiter="/", page_size=page_size)
        assert [found.name for found in iterator] == ["b", "c", "z"]
        assert iterator.prefixes == {"a/", "c/", "ünï/"}
    inner: Any = client.list_blobs(bucket, prefix="a/", delimiter="/")
    assert [found.name for found in inner] == ["a/1", "a/2"]
    assert inner.prefixes == {"a/b/"}
    with pytest.raises(BadRequest, match="matchGlob"):
        listed(match_glob="**/1")


def test_versions(client: storage.Client, bucket: storage.Bucket) -> None:
    bucket.versioning_enabled = True
    bucket.patch()
    blob = bucket.blob("x")
    generations: list[int] = []
    for data in (b"one", b"two"):
        blob.upload_from_string(data)
        generations.append(int(blob.generation or 0))
    bucket.delete_blob("x")
    assert not bucket.blob("x").exists()
    assert [found.generation for found in client.list_blobs(bucket, versions=True)] == generations
    assert bucket.blob("x", generation=generations[0]).download_as_bytes() == b"one"
    bucket.blob("x", generation=generations[0]).delete()
    assert [found.generation for found in client.list_blobs(bucket, versions=True)] == generations[1:]


def test_compose_rewrite_copy_move(client: storage.Client, bucket: storage.Bucket, emulator: StorageProcess) -> None:
    parts = [bucket.blob(f"part/{number}") for number in range(3)]
    for number, part in enumerate(parts):
        part.upload_from_string(bytes([65 + number]) * 1000)
    whole = bucket.blob("whole")
    whole.content_type = "text/plain"
    whole.compose(parts)
    whole.reload()
    assert whole.download_as_bytes() == b"A" * 1000 + b"B" * 1000 + b"C" * 1000
    assert (whole.component_count, whole.md5_hash, whole.content_type) == (3, None, "text/plain")
    whole.metadata = {"k": "v"}
    whole.patch()
    other = client.create_bucket(f"{bucket.name}-2")
    token, rewritten, total = other.blob("ko pie/ü").rewrite(whole)
    assert (token, rewritten, total) == (None, 3000, 3000)
    copied = bucket.copy_blob(other.blob("ko pie/ü"), bucket, "copied")
    assert copied.metadata == {"k": "v"}
    whole.delete()
    moved = bucket.move_blob(copied, "moved")
    assert not bucket.blob("copied").exists()
    assert moved.download_as_bytes() == other.blob("ko pie/ü").download_as_bytes()
    for blob in (moved, other.blob("ko pie/ü"), *parts):
        blob.delete()
    assert not [path for path in (emulator.data_dir / "bodies").glob("??/*") if path.stat().st_size == 3000]


def test_rewriting_an_object_onto_itself_keeps_its_bytes(bucket: storage.Bucket) -> None:
    blob = bucket.blob("x")
    blob.upload_from_string(b"data", content_type="text/plain")
    blob.update_storage_class("NEARLINE")
    found = bucket.get_blob("x")
    assert found is not None
    assert (found.storage_class, found.content_type, found.download_as_bytes()) == ("NEARLINE", "text/plain", b"data")


def test_batch(client: storage.Client, bucket: storage.Bucket) -> None:
    for number in range(5):
        bucket.blob(f"a/ü {number}").upload_from_string(b"x")
    with client.batch():
        for number in range(4):
            bucket.blob(f"a/ü {number}").delete()
        kept = bucket.blob("a/ü 4")
        kept.metadata = {"k": "v"}
        kept.patch()
    assert [found.name for found in client.list_blobs(bucket)] == ["a/ü 4"]
    assert kept.metadata == {"k": "v"}
    batch = client.batch()

    def delete_one_that_is_missing() -> None:
        with batch:
            bucket.blob("missing").delete()
            bucket.blob("a/ü 4").delete()

    with pytest.raises(NotFound):
        delete_one_that_is_missing()
    assert not list(client.list_blobs(bucket))


def test_gzip_is_unpacked_for_who_does_not_take_it(
    bucket: storage.Bucket, emulator: StorageProcess, http: requests.Session
) -> None:
    text = b"hello " * 500_000
    blob = bucket.blob("x")
    blob.content_encoding = "gzip"
    blob.upload_from_string(gzip.compress(text), content_type="text/plain")
    assert blob.download_as_bytes() == text
    assert gzip.decompress(blob.download_as_bytes(raw_download=True)) == text
    url = f"{emulator.url}/download/storage/v1/b/{bucket.name}/o/x?alt=media"
    plain = http.get(url, headers={"Accept-Encoding": "identity"}, timeout=5)
    assert plain.content == text
    assert "Content-Encoding" not in plain.headers
    assert plain.headers["X-Goog-Stored-Content-Encoding"] == "gzip"
    packed = http.get(url, headers={"Accept-Encoding": "gzip"}, timeout=5)
    assert packed.headers["Content-Encoding"] == "gzip"


def test_x_beside_x_slash_y(bucket: storage.Bucket) -> None:
    names = [
        "x",
        "x/y",
        "x/",
        "x//y",
        "/x",
        "a/../b",
        "%2F",
        "%",
        "a?b#c",
        "e\u0301",
        "\u00e9",
        "\u202eabc",
        "\U0001f600",
    ]
    for name in names:
        bucket.blob(name).upload_from_string(name)
    for name in names:
        assert bucket.blob(name).download_as_bytes() == name.encode()
    assert sorted(found.name for found in bucket.list_blobs()) == sorted(names)


@pytest.mark.parametrize("name", ["a\nb", "a\rb", "é" * 513, ".well-known/acme-challenge/x"])
def test_forbidden_names(bucket: storage.Bucket, name: str) -> None:
    with pytest.raises(BadRequest):
        bucket.blob(name).upload_from_string(b"x")


NAMES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n"), min_size=1, max_size=40)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=NAMES.filter(lambda name: name not in (".", "..")), data=st.binary(max_size=64))
def test_any_name_comes_back(bucket: storage.Bucket, name: str, data: bytes) -> None:
    bucket.blob(name).upload_from_string(data)
    assert bucket.blob(name).download_as_bytes() == data
    assert [found.name for found in bucket.list_blobs(prefix=name) if found.name == name] == [name]
    bucket.blob(name).delete()
    with pytest.raises(GoogleAPICallError):
        bucket.blob(name).reload()
