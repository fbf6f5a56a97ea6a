"""The real child with its models: reads printed text, sees colours, survives bad pictures, dies with its parent."""

import io
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from PIL import Image, ImageDraw, ImageFont

from analyzer.backends.local.ocr import OcrFailed, OcrProcess
from analyzer.backends.local.reading_order import page_text

of_the_module = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def ocr() -> AsyncIterator[OcrProcess]:
    """One child: loading the models takes longer than all that is read here."""
    async with OcrProcess() as process:
        yield process


def picture(*lines: str, size: tuple[int, int] = (900, 300), ground: str = "white", turned: int = 0) -> bytes:
    image = Image.new("RGB", size, ground)
    pen = ImageDraw.Draw(image)
    for i, line in enumerate(lines):
        pen.text((40, 40 + 80 * i), line, fill="black", font=ImageFont.load_default(size=44))
    buffer = io.BytesIO()
    image.rotate(turned, expand=True).save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


@of_the_module
async def test_reads_what_is_printed_and_nothing_where_nothing_is(ocr: OcrProcess) -> None:
    answer = await ocr.read(picture("Quarterly results 2024", "Revenue grew by 12 %"))
    assert page_text(answer.lines).splitlines()[0] == "Quarterly results 2024"
    assert "Revenue grew by 12" in page_text(answer.lines)
    assert answer.colours == ("white",)
    blank = await ocr.read(picture(ground="#2040ff"))
    assert (blank.lines, blank.colours) == ((), ("blue",))
    upside_down = await ocr.read(picture("Quarterly results 2024", turned=180))
    assert "Quarterly results" in page_text(upside_down.lines)


async def test_without_reading_only_colours_are_looked_at() -> None:
    async with OcrProcess(reads_text=False) as colours:
        answer = await colours.read(picture("Quarterly results 2024", ground="#2040ff"))
    assert (answer.lines, answer.colours) == ((), ("blue",))


@of_the_module
async def test_bad_pictures_fail_and_the_same_child_reads_on(ocr: OcrProcess) -> None:
    good = picture("Still alive and reading")
    await ocr.read(good)
    child = ocr.pid
    for bad in (b"no picture at all", good[: len(good) // 3], b"\xff\xd8\xff\xe0"):
        with pytest.raises(OcrFailed):
            await ocr.read(bad)
    assert "Still alive" in page_text((await ocr.read(good)).lines)
    assert ocr.pid == child


PARENT = """
import asyncio, sys
from analyzer.backends.local.ocr import OcrProcess

async def main():
    ocr = OcrProcess()
    await ocr.read(open(sys.argv[1], "rb").read())
    print(ocr.pid, flush=True)
    await asyncio.sleep(600)

asyncio.run(main())
"""


def test_dies_with_its_parent(tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("ocr") / "picture.jpg"
    path.write_bytes(picture("A"))
    environment = {"PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, str(path)], stdout=subprocess.PIPE, env=environment, text=True
    ) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        os.kill(parent.pid, signal.SIGKILL)
        parent.wait()
    for _ in range(400):
        if not _alive(child):
            return
        time.sleep(0.05)
    os.kill(child, signal.SIGKILL)
    pytest.fail("the OCR child outlived its parent")


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
