"""The REST gateway beside what it is made of: requests/s beside a bare endpoint, live status, a big upload.

``python -m tests.bench.gateway``; about two minutes, with ``requests`` behind it only those. Ratios of one run count,
not times: machines are noisy.
"""

import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import httpx2
import psutil
import uvloop

from tests.bench.http_load import Load, load
from tests.bench.system import MIB, UPLOAD_MIB, _write_wav
from tests.pipeline.local_system import LocalSystem, data_of
from tests.pipeline.otlp_receiver import OtlpReceiver
from tests.ports import free_port

FILES = 25
ROUNDS = 3
SECONDS = 1.5
CHANGES = 60


def measure(directory: Path, *, requests_only: bool) -> Iterator[str]:
    """Lines of the report, as they are measured. Spans are sent, to a receiver that throws them away."""
    receiver = OtlpReceiver()
    receiver.start()
    system = LocalSystem(directory / "data", OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint)
    system.start()
    try:
        ids = _fill(system, directory)
        yield from uvloop.run(_requests(system, ids))
        if not requests_only:
            yield uvloop.run(_live(system, ids[0]))
            yield from _big_upload(system, directory)
    finally:
        system.stop()
        receiver.stop()


def _fill(system: LocalSystem, directory: Path) -> list[str]:
    ids: list[str] = []
    for number in range(FILES):
        path = directory / f"note {number}.txt"
        path.write_text(f"Note {number} about the harbour at dawn, and what the boats brought home.\n" * 20)
        ids.append(data_of(system.upload(path))["upload_id"])
    for upload_id in ids:
        system.until_final(upload_id)
    return ids


async def _requests(system: LocalSystem, ids: list[str]) -> list[str]:
    key = {"X-API-Key": system.variables["MMSEARCH_API_KEY"]}
    gateway, lines = port_of(system, "upload-gateway"), list[str]()
    with bare_endpoint(system.variables["DATABASE_URL"]) as bare:
        targets = {
            "bare": (bare, f"/row/{ids[0]}", {}),
            "status": (gateway, f"/api/v1/upload/status/{ids[0]}", key),
            "list": (gateway, "/api/v1/uploads?limit=20", key),
            "metadata": (gateway, f"/api/v1/file/{ids[0]}/metadata", key),
        }
        for connections in (1, 16):
            found: dict[str, list[Load]] = {name: [] for name in targets}
            for _ in range(ROUNDS):
                for name, (port, path, headers) in targets.items():
                    result = await load(port, path, headers, connections=connections, seconds=SECONDS)
                    found[name].append(result)
            lines += _compared(found, connections)
    return lines


def _compared(found: dict[str, list[Load]], connections: int) -> list[str]:
    rates = {name: statistics.median(result.per_second for result in results) for name, results in found.items()}
    slow = {name: statistics.median(result.p95_ms for result in results) for name, results in found.items()}
    lines = [f"{connections:2} connections: bare endpoint {rates['bare']:.0f}/s, p95 {slow['bare']:.1f} ms"]
    for name in ("status", "list", "metadata"):
        ratio = rates[name] / rates["bare"]
        lines.append(f"  {name}: {rates[name]:.0f}/s, p95 {slow[name]:.1f} ms, ratio {ratio:.2f} (goal 0.35)")
    return lines


async def _live(system: LocalSystem, upload_id: str) -> str:
    """From the commit of a change to the client's having read the event, through the public port."""
    database = await asyncpg.connect(system.variables["DATABASE_URL"])
    took: list[float] = []
    headers = {"X-API-Key": system.variables["MMSEARCH_API_KEY"]}
    async with (
        httpx2.AsyncClient(base_url=system.url, headers=headers, trust_env=False, timeout=30) as client,
        client.stream("GET", "/api/v1/events") as response,
    ):
        lines = response.aiter_lines()
        while await anext(lines) != "event: hello":  # from then on every change is told
            pass
        progress = _progress_seen(lines)
        for number in range(CHANGES):
            change = "UPDATE upload_gateway.uploads SET progress = $1 WHERE upload_id = $2"
            await database.execute(change, number, upload_id)
            committed = time.perf_counter()
            while await anext(progress) != number:
                pass
            took.append(time.perf_counter() - committed)
            await asyncio.sleep(0.1)
    await database.close()
    median, worst = statistics.median(took) * 1000, max(took) * 1000
    return f"status change to live client: median {median:.0f} ms, worst {worst:.0f} ms of {CHANGES} (goal 200)"


async def _progress_seen(lines: AsyncIterator[str]) -> AsyncIterator[int]:
    async for line in lines:
        if line.startswith("data: ") and '"progress"' in line:
            yield json.loads(line.removeprefix("data: "))["progress"]


def _big_upload(system: LocalSystem, directory: Path) -> Iterator[str]:
    big = directory / "big.wav"
    _write_wav(big, UPLOAD_MIB * MIB - 1024)
    direct, through, grew = list[float](), list[float](), list[float]()
    bucket = system.bucket()
    for number in range(ROUNDS):
        with big.open("r+b") as file:  # other bytes each time: the same ones would be refused
            file.seek(1000)
            file.write(os.urandom(64))
        blob = bucket.blob(f"-/{number}.wav")  # of nobody, so that no processing follows
        began = time.perf_counter()
        blob.upload_from_filename(str(big), if_generation_match=0)
        direct.append(UPLOAD_MIB / (time.perf_counter() - began))
        with memory_growth(psutil.Process(system.pid("upload-gateway"))) as growth:
            began = time.perf_counter()
            answer = _send(system, big)
            through.append(UPLOAD_MIB / (time.perf_counter() - began))
        assert answer.status_code == 202, answer.text
        grew.append(growth())
        upload_id = data_of(answer)["upload_id"]
        system.until_final(upload_id)
    ratio = statistics.median(through) / statistics.median(direct)
    yield (
        f"{UPLOAD_MIB} MB upload: {statistics.median(through):.0f} MB/s through the gateway, "
        f"{statistics.median(direct):.0f} MB/s straight to the bucket, ratio {ratio:.2f} (goal 0.5)"
    )
    yield f"  gateway memory grew by {max(grew):.1f} MiB (goal 32)"


def _send(system: LocalSystem, path: Path) -> httpx2.Response:
    url = f"http://127.0.0.1:{port_of(system, 'upload-gateway')}/api/v1/upload"
    headers = {"X-API-Key": system.variables["MMSEARCH_API_KEY"]}
    with path.open("rb") as file, httpx2.Client(trust_env=False, timeout=120) as client:
        return client.post(url, headers=headers, files={"file": (path.name, file)})


@contextmanager
def memory_growth(process: psutil.Process) -> Iterator["Growth"]:
    """How many MiB a process is ever above where it began, looked at every few milliseconds."""
    growth = Growth(process)
    stop = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        pool.submit(growth.watch, stop)
        try:
            yield growth
        finally:
            stop.set()


class Growth:
    def __init__(self, process: psutil.Process) -> None:
        self._process = process
        self._before = self._peak = process.memory_info().rss

    def watch(self, stop: threading.Event) -> None:
        while not stop.wait(0.005):
            self._peak = max(self._peak, self._process.memory_info().rss)

    def __call__(self) -> float:
        return (self._peak - self._before) / MIB


@contextmanager
def bare_endpoint(database_url: str) -> Iterator[int]:
    """A process of its own; answers its port."""
    port = free_port()
    process = subprocess.Popen([sys.executable, "-m", "tests.bench.bare_endpoint", str(port), database_url])
    try:
        while True:
            try:
                httpx2.get(f"http://127.0.0.1:{port}/docs", trust_env=False)
                break
            except httpx2.ConnectError:
                time.sleep(0.05)
        yield port
    finally:
        process.terminate()
        process.wait(10)


def port_of(system: LocalSystem, name: str) -> int:
    return next(process["port"] for process in system.state()["processes"] if process["name"] == name)


def main() -> None:
    load_now = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    sys.stdout.write(f"{os.cpu_count()} cores, load {load_now}\n")
    with tempfile.TemporaryDirectory(prefix="mmsearch-bench-") as directory:
        for line in measure(Path(directory), requests_only="requests" in sys.argv[1:]):
            sys.stdout.write(line + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
