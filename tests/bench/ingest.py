"""``make bench-ingest``: files/s of the whole pipeline at saturation, beside a bare loop of the same library calls.

The bare loop decodes, reads, cuts and embeds the same files one after another in one process: no events, no
storage, no database. Both with OCR and without it. Files of everyday sizes tell what a library takes; tiny ones, each
a moment's work, tell what the way through the services costs.
"""

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2

from analyzer.backends.local.backend import LocalBackend
from analyzer.backends.local.ocr import OcrProcess
from contracts.artifacts import ArtifactRef, Material, MaterialPicture
from embedder.segments import FileDescription, cut
from embeddings.local import LocalEncoder
from localcloud.samples import make_many
from media_processor.decoded import Decoded, DecodeLimits, Job
from media_processor.decoding import report_on
from tests.bench.everyday import make_everyday
from tests.pipeline.local_system import LocalSystem, data_of, wait_for

COUNT = 100
SHARED = Path(__file__).resolve().parents[3] / "shared" / "samples"
PICTURES = {".jpg", ".png", ".gif", ".tiff", ".heic", ".mp4", ".webm"}


def main() -> None:
    """Prints a line per set of files."""
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    sys.stdout.write(f"{os.cpu_count()} cores, load {load}\n")
    with tempfile.TemporaryDirectory(prefix="mmsearch-ingest-") as name:
        directory = Path(name)
        everyday = make_everyday(directory / "everyday", seed=3)
        tiny = [sample.path for sample in make_many(directory / "tiny", COUNT, seed=3)]
        sets = {
            f"{len(everyday)} generated files of everyday sizes": everyday,
            f"{COUNT} tiny generated files": tiny,
            "the tiny ones that are text or sound": [path for path in tiny if path.suffix not in PICTURES],
        }
        if SHARED.exists():
            given = sorted(p for p in SHARED.glob("*/*") if p.is_file())
            sets[f"{len(given)} shared samples"] = given
        for ocr in (True, False):
            system = LocalSystem(directory / f"ocr-{ocr}", LOCAL_OCR=str(ocr))
            system.start()
            try:
                for title, paths in sets.items():
                    _report(system, directory, f"{title}, {'with' if ocr else 'without'} OCR", paths, ocr)
            finally:
                system.stop()


def _report(system: LocalSystem, directory: Path, title: str, paths: Sequence[Path], ocr: bool) -> None:
    bare = asyncio.run(_bare_loop(directory / f"bare-{title}", paths, ocr))
    whole = _pipeline(system, paths)
    sys.stdout.write(
        f"{title}: pipeline {whole:.1f} files/s, bare loop {bare:.1f} files/s, ratio {whole / bare:.2f} (goal 0.6)\n"
    )
    sys.stdout.flush()


def _pipeline(system: LocalSystem, paths: Sequence[Path]) -> float:
    began = time.perf_counter()
    with ThreadPoolExecutor(4) as pool:
        for answer in pool.map(lambda path: system.upload(path, on_duplicate="allow"), paths):
            data_of(answer)
    with system.http() as http:
        wait_for(lambda: not any(_unfinished(http, status) for status in ("pending", "processing")), 900)
    return len(paths) / (time.perf_counter() - began)


def _unfinished(http: httpx2.Client, status: str) -> int:
    answer = http.get("/api/v1/uploads", params={"status": status, "limit": 1})
    return answer.raise_for_status().json()["meta"]["total"]


async def _bare_loop(directory: Path, paths: Sequence[Path], ocr: bool) -> float:
    encoder = LocalEncoder(directory / "models")
    await encoder.load()
    async with OcrProcess(reads_text=ocr) as reader:
        backend = LocalBackend(reader)
        await _one(directory / "warm", paths[0], backend, encoder)
        began = time.perf_counter()
        for number, path in enumerate(paths):
            await _one(directory / str(number), path, backend, encoder)
        took = time.perf_counter() - began
    encoder.close()
    return len(paths) / took


async def _one(output: Path, path: Path, backend: LocalBackend, encoder: LocalEncoder) -> None:
    output.mkdir(parents=True, exist_ok=True)
    decoded = report_on(Job(source=path, output=output, filename=path.name, limits=DecodeLimits())).decoded
    if decoded is None:
        return

    async def read(ref: ArtifactRef) -> bytes:
        return (output / ref.key).read_bytes()

    analysis = await backend.analyze(_material(path, decoded), read)
    about = FileDescription(path.name, analysis.title, analysis.summary, analysis.labels)
    await encoder.encode_documents([passage.text for passage in cut(about, analysis.segments).passages])


def _material(path: Path, decoded: Decoded) -> Material:
    def ref(name: str) -> ArtifactRef:
        return ArtifactRef(bucket="bare", key=name, sha256="0" * 64, media_type="image/jpeg", size_bytes=0)

    pictures = tuple(
        MaterialPicture(image=ref(p.name), locator=p.locator, width=p.width, height=p.height) for p in decoded.pictures
    )
    return Material(
        kind=decoded.kind,
        filename=path.name,
        properties=decoded.properties,
        texts=decoded.texts,
        pictures=pictures,
    )


if __name__ == "__main__":
    main()
