"""The running system as a user meets it: time to start, memory, time to findable, throughput, upload memory."""

import random
import statistics
import time
import wave
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
from PIL import Image, ImageDraw, ImageFont

from localcloud.samples import make_many
from tests.pipeline.local_system import LocalSystem, data_of, wait_for
from tests.pipeline.otlp_receiver import OtlpReceiver, Span

PHOTOS = 7
MIXED = 200
UPLOAD_MIB = 100
MIB = 1024 * 1024
WORK = (
    ("media-processor", "handle object.finalized.v1"),
    ("analyzer", "handle media.processed.v1"),
    ("embedder", "handle media.analyzed.v1"),
    ("search", "handle media.embedded.v1"),
)
"""The stages' own work on the way from the object to the index; everything else is plumbing."""


def measure(directory: Path) -> Iterator[str]:
    """Lines of the report, as they are measured."""
    receiver = OtlpReceiver()
    receiver.start()
    system = LocalSystem(directory / "data", OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint)
    try:
        yield f"first up, empty data directory: {_timed(system.start):.1f} s"
        system.stop()
        yield f"second up to ready: {_timed(system.start):.1f} s (goal 10)"
        time.sleep(5)
        yield f"idle memory of everything: {_memory_mb(system):.0f} MB (goal 1500)"
        yield from _photos(system, receiver, directory)
        yield from _upload_memory(system, directory)
        yield from _mixed(system, directory)
    finally:
        system.stop()
        receiver.stop()


def _photos(system: LocalSystem, receiver: OtlpReceiver, directory: Path) -> Iterator[str]:
    seconds: list[float] = []
    shares: list[float] = []
    for number in range(PHOTOS + 1):
        photo = _photo(directory / f"photo-{number}.jpg", number)
        began = time.perf_counter()
        answer = system.upload(photo)
        upload_id, trace_id = data_of(answer)["upload_id"], answer.json()["trace_id"]
        with system.http() as http:
            path = f"/api/v1/upload/status/{upload_id}"
            while data_of(http.get(path))["status"] != "completed":
                time.sleep(0.01)
        if number == 0:
            continue  # the first one loads the models
        seconds.append(time.perf_counter() - began)
        shares.append(_plumbing(receiver, trace_id))
    yield (
        f"1 MB JPEG, POST to indexed, idle system: median {statistics.median(seconds):.2f} s, "
        f"worst {max(seconds):.2f} s of {len(seconds)} (goal 2)"
    )
    yield f"  of it outside the stages' own work: median {statistics.median(shares):.0%} (goal 25%)"


def _plumbing(receiver: OtlpReceiver, trace_id: str) -> float:
    """Share of the time from the request to the end of indexing in which no stage was working."""

    def complete() -> list[Span] | None:
        # Every service sends its spans in its own time.
        spans = [s for s in receiver.trace(trace_id) if (s.service, s.name) in WORK or s.parent_id == ""]
        return spans if len(spans) == len(WORK) + 1 else None

    spans = wait_for(complete, 30)
    work = [s for s in spans if s.parent_id]
    return 1 - sum(s.end_s - s.start_s for s in work) / (max(s.end_s for s in work) - _root(spans).start_s)


def _root(spans: list[Span]) -> Span:
    return next(s for s in spans if s.parent_id == "")


def _upload_memory(system: LocalSystem, directory: Path) -> Iterator[str]:
    big = directory / "big.wav"
    _write_wav(big, UPLOAD_MIB * MIB - 1024)
    gateway = psutil.Process(system.pid("upload-gateway"))
    before = gateway.memory_info().rss
    peak = before
    with ThreadPoolExecutor(1) as pool:
        began = time.perf_counter()
        sending = pool.submit(system.upload, big)
        while not sending.done():
            peak = max(peak, gateway.memory_info().rss)
            time.sleep(0.005)
        took = time.perf_counter() - began
    assert sending.result().status_code == 202, sending.result().text
    yield (
        f"{UPLOAD_MIB} MB upload: gateway memory grew by {(peak - before) / MIB:.1f} MiB (goal 32), "
        f"{UPLOAD_MIB / took:.0f} MB/s"
    )
    system.until_final(data_of(sending.result())["upload_id"])


def _mixed(system: LocalSystem, directory: Path) -> Iterator[str]:
    files = make_many(directory / "many", MIXED, seed=5)
    wanted = {sample.path.name for sample in files}
    psutil.cpu_percent()
    began = time.perf_counter()
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda sample: system.upload(sample.path), files))
    assert all(answer.status_code == 202 for answer in answers), [a.text for a in answers if a.status_code != 202][:3]
    with system.http() as http:
        wait_for(lambda: _completed(http, wanted), 600)
    took = time.perf_counter() - began
    busy = psutil.cpu_percent()
    found = sum(any(r["filename"] == s.path.name for r in system.search(s.query)) for s in files)
    yield f"{MIXED} mixed small files at once: {MIXED / took * 60:.0f} files/min, processors {busy:.0f} % busy"
    yield f"  findable by their code word: {found} of {MIXED}"


def _completed(http: object, wanted: set[str]) -> bool:
    names: set[str] = set()
    for offset in range(0, MIXED + 100, 100):
        parameters = {"limit": 100, "offset": offset, "status": "completed"}
        names |= {u["filename"] for u in data_of(http.get("/api/v1/uploads", params=parameters))}  # type: ignore[attr-defined]
    return wanted <= names


def _photo(path: Path, seed: int) -> Path:
    """About 1 MB: a noisy 1600x1200 picture with a line of text."""
    noise = random.Random(seed).randbytes(400 * 300 * 3)
    picture = Image.frombytes("RGB", (400, 300), noise).resize((1600, 1200), Image.Resampling.BICUBIC)
    drawing = ImageDraw.Draw(picture)
    drawing.rectangle((200, 500, 1400, 700), fill="white")
    drawing.text((240, 550), f"Sunrise over pier {seed}", fill="black", font=ImageFont.load_default(90))
    picture.save(path, quality=91)
    return path


def _write_wav(path: Path, size: int) -> None:
    with wave.open(str(path), "wb") as sound:
        sound.setnchannels(2)
        sound.setsampwidth(2)
        sound.setframerate(48_000)
        chunk = random.Random(1).randbytes(MIB)
        for _ in range(size // MIB):
            sound.writeframesraw(chunk)


def _memory_mb(system: LocalSystem) -> float:
    reports = system.state()["processes"]
    return sum(process["memory_mb"] or 0 for process in reports)


def _timed(action: Callable[[], object]) -> float:
    began = time.perf_counter()
    action()
    return time.perf_counter() - began
