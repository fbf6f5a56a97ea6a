"""``make bench-ingest``: files/s of the whole pipeline at saturation, beside a bare loop of the same library calls.

The bare loop decodes, reads, cuts and embeds the same files one after another in one process: no events, no
storage, no database. The pipeline does it twice over the same kind of files, with pictures to read and without.
"""

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from analyzer.backends.local.backend import LocalBackend
from analyzer.backends.local.ocr import OcrProcess
from contracts.artifacts import ArtifactRef, Material, MaterialPicture
from embedder.segments import FileDescription, cut
from embeddings.local import LocalEncoder
from localcloud.samples import make_many
from media_processor.decoded import Decoded, DecodeLimits, Job
from media_processor.decoding import report_on
from tests.pipeline.local_system import LocalSystem, data_of, wait_for

COUNT = 100
SHARED = Path(__file__).resolve().parents[3] / "shared" / "samples"
_FINAL = ("completed", "failed")
PICTURES = {".jpg", ".png", ".gif", ".tiff", ".heic", ".mp4", ".webm"}


def main() -> None:
    """Prints a line per set of files."""
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    sys.stdout.write(f"{os.cpu_count()} cores, load {load}\n")
    with tempfile.TemporaryDirectory(prefix="mmsearch-ingest-") as name:
        directory = Path(name)
        generated = [sample.path for sample in make_many(directory / "made", COUNT, seed=3)]
        sets = {
            f"{COUNT} generated files, with OCR": generated,
            "the generated ones without pictures": [p for p in generated if p.suffix not in PICTURES],
        }
        if SHARED.exists():
            given = sorted(p for p in SHARED.glob("*/*") if p.is_file())
            sets[f"{len(given)} shared samples, with OCR"] = given
            sets["the shared ones without pictures"] = [p for p in given if p.suffix not in PICTURES]
        system = LocalSystem(directory / "data")
        system.start()
        try:
            for title, paths in sets.items():
                _report(system, directory, title, paths)
        finally:
            system.stop()


def _report(system: LocalSystem, directory: Path, title: str, paths: Sequence[Path]) -> None:
    bare = asyncio.run(_bare_loop(directory / "bare", paths))
    whole = _pipeline(system, paths)
    sys.stdout.write(
        f"{title}: pipeline {whole:.1f} files/s, bare loop {bare:.1f} files/s, ratio {whole / bare:.2f} (goal 0.6)\n"
    )
    sys.stdout.flush()


def _pipeline(system: LocalSystem, paths: Sequence[Path]) -> float:
    began = time.perf_counter()
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda path: system.upload(path, on_duplicate="allow"), paths))
    ids = {data_of(answer)["upload_id"] for answer in answers}
    with system.http() as http:
        for upload_id in ids:
            wait_for(lambda i=upload_id: data_of(http.get(f"/api/v1/upload/status/{i}"))["status"] in _FINAL, 900)
    return len(paths) / (time.perf_counter() - began)


async def _bare_loop(directory: Path, paths: Sequence[Path]) -> float:
    encoder = LocalEncoder(directory / "models")
    await encoder.load()
    async with OcrProcess() as ocr:
        backend = LocalBackend(ocr)
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
