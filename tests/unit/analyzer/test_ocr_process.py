"""One child reads for everybody: kept warm, replaced after a crash or a hang, ended when idle, without secrets."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from analyzer.backends.local.ocr import OcrFailed, OcrProcess
from analyzer.backends.local.ocr_messages import MAX_FRAME

STUB = "tests.unit.analyzer.stub_ocr_worker"


@pytest.fixture
async def ocr() -> AsyncIterator[OcrProcess]:
    async with OcrProcess(worker=STUB, timeout_s=20) as process:
        yield process


async def read(process: OcrProcess, order: str) -> tuple[int, str]:
    pid, _, rest = (await process.read(order.encode())).lines[0].text.partition(" ")
    return int(pid), rest


async def test_starts_on_demand_and_stays_warm(ocr: OcrProcess) -> None:
    assert ocr.pid is None
    first, _ = await read(ocr, "look")
    assert (await read(ocr, "look"))[0] == first == ocr.pid


async def test_callers_queue_and_each_gets_their_own_answer(ocr: OcrProcess) -> None:
    answers = await asyncio.gather(*(read(ocr, f"say:{i}") for i in range(20)))
    assert [said for _, said in answers] == [str(i) for i in range(20)]
    assert len({pid for pid, _ in answers}) == 1


async def test_a_child_killed_by_someone_else_gets_a_second_chance(ocr: OcrProcess, tmp_path: Path) -> None:
    first, _ = await read(ocr, "look")
    second, _ = await read(ocr, f"crash once:{tmp_path / 'marker'}")
    assert second != first


async def test_a_picture_that_kills_twice_fails_and_the_next_is_read(ocr: OcrProcess) -> None:
    with pytest.raises(OcrFailed):
        await ocr.read(b"crash")
    assert (await read(ocr, "say:alive"))[1] == "alive"


async def test_nonsense_and_refusals_fail_the_picture_only(ocr: OcrProcess) -> None:
    for order in (b"nonsense", b"refuse"):
        with pytest.raises(OcrFailed):
            await ocr.read(order)
    assert (await read(ocr, "say:alive"))[1] == "alive"


@pytest.mark.parametrize("size", [0, MAX_FRAME + 1])
async def test_impossible_pictures_are_not_sent(ocr: OcrProcess, size: int) -> None:
    with pytest.raises(OcrFailed):
        await ocr.read(bytes(size))
    assert ocr.pid is None


async def test_a_hanging_child_is_replaced() -> None:
    async with OcrProcess(worker=STUB, timeout_s=1.5) as ocr:
        first, _ = await read(ocr, "look")
        with pytest.raises(OcrFailed, match="longer than"):
            await ocr.read(b"hang")
        assert (await read(ocr, "look"))[0] != first


async def test_an_answer_nobody_waits_for_does_not_meet_the_next_question(ocr: OcrProcess) -> None:
    await read(ocr, "look")
    waiting = asyncio.create_task(ocr.read(b"hang"))
    await asyncio.sleep(0.05)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert (await read(ocr, "say:mine"))[1] == "mine"


async def test_an_idle_child_ends_and_another_starts() -> None:
    async with OcrProcess(worker=STUB, idle_s=0.05) as ocr:
        first, _ = await read(ocr, "look")
        while ocr.pid is not None:
            await asyncio.sleep(0.02)
        assert (await read(ocr, "look"))[0] != first


async def test_no_secret_reaches_the_child(ocr: OcrProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GEMINI_API_KEY", "secret")
    _, names = await read(ocr, "environment")
    assert "GEMINI_API_KEY" not in names
    assert "PYTHONPATH" in names


async def test_a_worker_that_cannot_start_fails_the_picture() -> None:
    async with OcrProcess(worker="tests.unit.analyzer.there_is_no_such_module") as ocr:
        with pytest.raises(OcrFailed):
            await ocr.read(b"look")
