"""Prints what the Cloud Storage emulator does on this machine: MB/s, operations a second, memory for 1 GiB.

python -m tests.bench.storage_emulator [MEBIBYTES]
"""

import os
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from google.auth.credentials import AnonymousCredentials
from google.cloud import storage

from tests.conformance.storage_emulator.process import StorageProcess

MIB = 1024 * 1024
SMALL_COUNT = 500


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


class PeakMemory:
    """Samples a process's resident memory until closed."""

    def __init__(self, process: StorageProcess) -> None:
        self.before = self.peak = process.rss()
        self._process = process
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._sample)
        self._thread.start()

    def grown_mib(self) -> float:
        self._ended.set()
        self._thread.join()
        return (self.peak - self.before) / MIB

    def _sample(self) -> None:
        while not self._ended.wait(0.02):
            self.peak = max(self.peak, self._process.rss())


def large(bucket: storage.Bucket, process: StorageProcess, directory: Path, mebibytes: int) -> None:
    source = directory / "source"
    with source.open("wb") as file:
        for _ in range(mebibytes):
            file.write(os.urandom(MIB))
    small = bucket.blob("small")
    small.upload_from_string(b"x" * 1024)
    waits: list[float] = []
    ended = threading.Event()

    def read_small() -> None:
        while not ended.is_set():
            waits.append(seconds(small.download_as_bytes))
            time.sleep(0.02)

    reader = threading.Thread(target=read_small)
    memory = PeakMemory(process)
    reader.start()
    for chunk in (None, 8 * MIB):
        blob = bucket.blob("large", chunk_size=chunk)
        took = seconds(lambda blob=blob: blob.upload_from_filename(str(source)))
        print(f"upload {mebibytes} MiB, chunk {chunk and chunk // MIB} MiB: {mebibytes / took:.0f} MiB/s")
    blob = bucket.blob("large")
    with Path(os.devnull).open("wb") as sink:
        took = seconds(lambda: blob.download_to_file(sink))
    ended.set()
    reader.join()
    print(f"download {mebibytes} MiB: {mebibytes / took:.0f} MiB/s")
    print(f"memory grew by {memory.grown_mib():.1f} MiB from {memory.before / MIB:.0f} MiB")
    print(f"1 KiB read meanwhile: median {statistics.median(waits) * 1e3:.1f} ms, worst {max(waits) * 1e3:.1f} ms")


def small(bucket: storage.Bucket) -> None:
    blobs = [bucket.blob(f"small/{number}") for number in range(SMALL_COUNT)]

    def rate(label: str, work: Callable[[storage.Blob], object], threads: int) -> None:
        with ThreadPoolExecutor(threads) as pool:
            took = seconds(lambda: list(pool.map(work, blobs)))
        print(f"{label}, {threads} thread(s): {SMALL_COUNT / took:.0f}/s")

    for threads in (1, 4):
        rate("upload 1 KiB", lambda blob: blob.upload_from_string(b"x" * 1024), threads)
        rate("download 1 KiB", lambda blob: blob.download_as_bytes(), threads)
    ranged = bucket.blob("large")
    took = statistics.median(seconds(lambda: ranged.download_as_bytes(start=MIB, end=MIB + 999)) for _ in range(50))
    print(f"range of 1 KB in the large object: {took * 1e3:.1f} ms")
    rate("delete", lambda blob: blob.delete(), 1)


def main() -> None:
    mebibytes = int(sys.argv[1]) if len(sys.argv) > 1 else 1024
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        process = StorageProcess(directory / "storage")
        print(f"start to ready: {seconds(process.start):.2f} s")
        options = {"api_endpoint": process.url}
        client = storage.Client("bench-project", AnonymousCredentials(), client_options=options)
        try:
            bucket = client.create_bucket("bench-bucket")
            large(bucket, process, directory, mebibytes)
            small(bucket)
        finally:
            client.close()
            process.stop()


if __name__ == "__main__":
    main()
