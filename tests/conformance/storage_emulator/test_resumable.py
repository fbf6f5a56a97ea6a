"""Resumable uploads: ranges and status queries on the wire, broken connections, kill -9, expiry, memory."""

import io
import os
import secrets
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests
from google.api_core.exceptions import NotFound, PreconditionFailed
from google.cloud import storage

from tests.conformance.storage_emulator.conftest import open_session
from tests.conformance.storage_emulator.process import StorageProcess

KIB = 1024
MIB = 1024 * KIB


def put(session_url: str, content_range: str, data: bytes = b"") -> requests.Response:
    return requests.put(session_url, data, headers={"Content-Range": content_range}, timeout=20)


def received(session_url: str) -> int:
    """How far the emulator says it is."""
    answer = put(session_url, "bytes */*")
    assert answer.status_code == 308
    return int(answer.headers["Range"].removeprefix("bytes=0-")) + 1 if "Range" in answer.headers else 0


def test_chunks_on_the_wire(bucket: storage.Bucket) -> None:
    data = os.urandom(600 * KIB)
    blob = bucket.blob("x")
    blob.metadata = {"traceparent": "00-abc"}
    url = open_session(blob, content_type="video/mp4")
    assert received(url) == 0
    first = put(url, f"bytes 0-{256 * KIB - 1}/*", data[: 256 * KIB])
    assert (first.status_code, first.headers["Range"]) == (308, f"bytes=0-{256 * KIB - 1}")
    uneven = put(url, f"bytes {256 * KIB}-{300 * KIB - 1}/*", data[256 * KIB : 300 * KIB])
    assert uneven.headers["Range"] == f"bytes=0-{256 * KIB - 1}", "only whole multiples of 256 KiB are kept"
    gap = put(url, f"bytes {512 * KIB}-{600 * KIB - 1}/{600 * KIB}", data[512 * KIB :])
    assert gap.status_code == 400
    assert not bucket.blob("x").exists()
    overlapping = put(url, f"bytes {100 * KIB}-{600 * KIB - 1}/{600 * KIB}", data[100 * KIB :])
    assert overlapping.status_code == 200
    assert overlapping.json()["metadata"] == {"traceparent": "00-abc"}
    found = bucket.get_blob("x")
    assert found is not None
    assert (found.download_as_bytes(), found.content_type) == (data, "video/mp4")
    again = put(url, f"bytes */{600 * KIB}")
    assert (again.status_code, again.json()["generation"]) == (200, str(found.generation))


@pytest.mark.parametrize("header", ["bytes x", "bytes 5-3/9", "bytes 0-9/9", "bytes 0-5"])
def test_malformed_content_range(bucket: storage.Bucket, header: str) -> None:
    url = open_session(bucket.blob("x"))
    assert put(url, header, b"12345").status_code == 400


def test_announced_length_must_arrive(bucket: storage.Bucket) -> None:
    url = open_session(bucket.blob("x"))
    assert put(url, "bytes 0-9/10", b"12345").status_code == 400
    assert put(url, "bytes 0-9/10", b"0123456789").status_code == 200
    assert bucket.blob("x").download_as_bytes() == b"0123456789"


def test_cancel_and_unknown_session(bucket: storage.Bucket, emulator: StorageProcess) -> None:
    url = open_session(bucket.blob("x"))
    put(url, f"bytes 0-{256 * KIB - 1}/*", os.urandom(256 * KIB))
    assert requests.delete(url, timeout=5).status_code == 499
    assert put(url, "bytes */*").status_code == 404
    without_id = f"{emulator.url}/upload/storage/v1/b/{bucket.name}/o?uploadType=resumable"
    assert requests.delete(without_id, timeout=5).status_code == 204


def test_condition_broken_while_uploading(bucket: storage.Bucket) -> None:
    url = open_session(bucket.blob("x"), if_generation_match=0)
    bucket.blob("x").upload_from_string(b"somebody else was faster")
    assert put(url, "bytes 0-3/4", b"late").status_code == 412
    assert bucket.blob("x").download_as_bytes() == b"somebody else was faster"
    with pytest.raises(PreconditionFailed):
        open_session(bucket.blob("x"), if_generation_match=0)


def test_broken_connection_keeps_what_arrived(bucket: storage.Bucket, emulator: StorageProcess) -> None:
    data = os.urandom(5 * MIB)
    url = open_session(bucket.blob("x"))
    target = urlsplit(url)
    head = f"PUT {target.path}?{target.query} HTTP/1.1\r\nHost: {target.netloc}\r\nContent-Length: {len(data)}\r\n"
    head += f"Content-Range: bytes 0-{len(data) - 1}/{len(data)}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", emulator.port)) as connection:
        connection.sendall(head.encode() + data[: 3 * MIB + 1000])
    at = received(url)
    assert at % (256 * KIB) == 0
    assert 0 < at <= 3 * MIB
    assert put(url, f"bytes {at}-{len(data) - 1}/{len(data)}", data[at:]).status_code == 200
    assert bucket.blob("x").download_as_bytes() == data


def test_session_survives_kill(own_client: storage.Client, own_emulator: StorageProcess) -> None:
    data = os.urandom(3 * MIB)
    bucket = own_client.create_bucket("uploads-bucket")
    url = open_session(bucket.blob("x"))
    put(url, f"bytes 0-{MIB - 1}/*", data[:MIB])
    own_emulator.kill()
    (unsynced,) = (own_emulator.data_dir / "bodies").glob("??/*")
    with unsynced.open("ab") as file:
        file.write(b"bytes whose arrival nobody was told of")
    own_emulator.start()
    assert received(url) == MIB
    assert put(url, f"bytes {MIB}-{len(data) - 1}/{len(data)}", data[MIB:]).status_code == 200
    assert bucket.blob("x").download_as_bytes() == data
    own_emulator.kill()
    own_emulator.start()
    assert put(url, f"bytes */{len(data)}").status_code == 200, "a lost final answer can be asked for again"
    assert bucket.blob("x").download_as_bytes() == data


def test_client_resumes_over_kill(own_client: storage.Client, own_emulator: StorageProcess) -> None:
    """The official client's upload goes on by itself when the emulator is killed and started in the middle."""
    data = os.urandom(4 * MIB)

    class Killing(io.BytesIO):
        killed = False

        def read(self, size: int | None = -1, /) -> bytes:
            if self.tell() >= 2 * MIB and not self.killed:
                self.killed = True
                own_emulator.kill()
                own_emulator.start()
            return super().read(size)

    bucket = own_client.create_bucket("uploads-bucket")
    stream = Killing(data)
    bucket.blob("x", chunk_size=512 * KIB).upload_from_file(stream, if_generation_match=0)
    assert stream.killed
    assert bucket.blob("x").download_as_bytes() == data


def test_orphans_are_removed_and_objects_stay(own_client: storage.Client, own_emulator: StorageProcess) -> None:
    bucket = own_client.create_bucket("uploads-bucket")
    bucket.blob("kept").upload_from_string(b"kept")
    own_emulator.kill()
    orphan: Path = own_emulator.data_dir / "bodies" / "00" / f"00{secrets.token_hex(15)}"
    orphan.write_bytes(b"written, but never committed")
    own_emulator.start()
    assert not orphan.exists()
    assert bucket.blob("kept").download_as_bytes() == b"kept"


def test_answered_writes_survive_kill(own_client: storage.Client, own_emulator: StorageProcess) -> None:
    bucket = own_client.create_bucket("uploads-bucket")
    generations: dict[str, int] = {}
    for number in range(20):
        name = f"object/{number}"
        blob = bucket.blob(name)
        blob.upload_from_string(str(number))
        generations[name] = int(blob.generation or 0)
    bucket.blob("object/0").delete()
    own_emulator.kill()
    own_emulator.start()
    assert {found.name: found.generation for found in bucket.list_blobs()} == {
        name: generation for name, generation in generations.items() if name != "object/0"
    }
    with pytest.raises(NotFound):
        bucket.blob("object/0").reload()
    assert bucket.blob("object/7").download_as_bytes() == b"7"


def test_injected_failures_are_overcome(own_client: storage.Client, own_emulator: StorageProcess) -> None:
    data = os.urandom(MIB)
    bucket = own_client.create_bucket("uploads-bucket")
    faults = f"{own_emulator.url}/_faults"
    assert requests.post(faults, json={"put_chunk_503": 1}, timeout=5).status_code == 200
    blob = bucket.blob("x", chunk_size=256 * KIB)
    blob.upload_from_file(io.BytesIO(data))
    assert blob.download_as_bytes() == data
    assert requests.post(faults, json={"drop_response": 1}, timeout=5).status_code == 200
    # The work was done but the answer is lost: the client asks again and learns that the object is there.
    with pytest.raises(PreconditionFailed):
        bucket.blob("y").upload_from_string(b"y", if_generation_match=0)
    assert bucket.blob("y").download_as_bytes() == b"y"
    assert requests.post(faults, json={"unknown": 1}, timeout=5).status_code == 400


class Zeros(io.RawIOBase):
    """Many bytes that are never in memory together."""

    def __init__(self, size: int) -> None:
        self.left = size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        count = min(len(buffer), self.left)
        buffer[:count] = bytes(count)
        self.left -= count
        return count


class Sink(io.RawIOBase):
    """Counts what is written, and samples the emulator's memory."""

    def __init__(self, process: StorageProcess) -> None:
        self.count = 0
        self.peak = 0
        self._process = process

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]
        self.count += len(data)
        self.peak = max(self.peak, self._process.rss())
        return len(data)


@pytest.mark.parametrize("form", ["session", "media"])
def test_memory_stays_flat(own_client: storage.Client, own_emulator: StorageProcess, form: str) -> None:
    size = 256 * MIB
    bucket = own_client.create_bucket("uploads-bucket")
    bucket.blob("warm").upload_from_string(b"x" * MIB)
    before = peak = own_emulator.rss()
    source = Zeros(size)

    def body() -> Iterator[bytes]:
        nonlocal peak
        while block := source.read(MIB):
            peak = max(peak, own_emulator.rss())
            yield block

    if form == "session":
        url = open_session(bucket.blob("big"))
        headers = {"Content-Range": f"bytes 0-{size - 1}/{size}"}
        answer = requests.put(url, body(), headers=headers, timeout=60)
    else:
        url = f"{own_emulator.url}/upload/storage/v1/b/{bucket.name}/o?uploadType=media&name=big"
        answer = requests.post(url, body(), timeout=60)
    assert answer.status_code == 200
    sink = Sink(own_emulator)
    bucket.blob("big").download_to_file(sink)
    assert sink.count == size
    assert max(peak, sink.peak) - before < 64 * MIB


def test_small_reads_pass_while_a_large_upload_hangs(bucket: storage.Bucket, emulator: StorageProcess) -> None:
    bucket.blob("small").upload_from_string(b"small")
    target = urlsplit(open_session(bucket.blob("slow")))
    head = f"PUT {target.path}?{target.query} HTTP/1.1\r\nHost: {target.netloc}\r\nContent-Length: {64 * MIB}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", emulator.port)) as connection:
        connection.sendall(head.encode() + bytes(3 * MIB))
        assert bucket.blob("small").download_as_bytes() == b"small"
