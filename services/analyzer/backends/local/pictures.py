"""Turns the pictures of a file into text segments, in order, within a budget of time; a failure is named, not fatal."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from analyzer.backends.backend import PictureReader
from analyzer.backends.local.ocr import OcrFailed, OcrProcess
from analyzer.backends.local.reading_order import page_text
from contracts.artifacts import AnalyzedSegment, Degradation, Locator, MaterialPicture, TextSource


@dataclass
class Seen:
    """What was read in the pictures; ``colours`` are those of the first picture that could be looked at."""

    segments: list[AnalyzedSegment] = field(default_factory=list)
    colours: tuple[str, ...] = ()
    degradations: list[Degradation] = field(default_factory=list)


async def look_at(
    pictures: Sequence[MaterialPicture], read_picture: PictureReader, ocr: OcrProcess, budget_s: float
) -> Seen:
    """Reads every picture in turn; after ``budget_s`` seconds the rest is left out and the result says so.

    When time runs out it is the spread that suffers, not the end: pictures are taken in halving steps over the file.
    """
    clock = asyncio.get_running_loop().time
    ends = clock() + budget_s
    texts: dict[int, str] = {}
    failures: list[str] = []
    seen = Seen()
    order = spread_order(len(pictures))
    for done, index in enumerate(order):
        if clock() > ends:
            reason = f"{len(order) - done} of {len(order)} pictures were not read: time ran out"
            seen.degradations.append(Degradation(step="ocr", reason=reason))
            break
        try:
            answer = await ocr.read(await read_picture(pictures[index]))
        except OcrFailed as error:
            failures.append(str(error))
            continue
        texts[index] = page_text(answer.lines)
        seen.colours = seen.colours or answer.colours
    if failures:
        reason = f"{len(failures)} of {len(order)} pictures could not be read: {failures[0]}"
        seen.degradations.append(Degradation(step="ocr", reason=reason[:500]))
    seen.segments = _segments(pictures, texts)
    return seen


def spread_order(count: int) -> list[int]:
    """All of 0 to count - 1, the first ones far apart: 0, then the middle, then the quarters, …"""
    order = [0] if count else []
    taken = set(order)
    step = count
    while len(order) < count:
        step = (step + 1) // 2
        fresh = [i for i in range(0, count, step) if i not in taken]
        order += fresh
        taken |= set(fresh)
    return order


def _segments(pictures: Sequence[MaterialPicture], texts: dict[int, str]) -> list[AnalyzedSegment]:
    segments: list[AnalyzedSegment] = []
    previous = -2
    for index in sorted(texts):
        text, locator = texts[index], pictures[index].locator
        if not text:
            continue
        last = segments[-1] if segments else None
        if last and index == previous + 1 and last.text == text and locator.start_s is not None:
            # The same caption on frame after frame is one moment.
            longer = Locator(start_s=last.locator.start_s, end_s=locator.end_s)
            segments[-1] = last.model_copy(update={"locator": longer})
        else:
            segments.append(AnalyzedSegment(text=text, locator=locator, source=TextSource.OCR))
        previous = index
    return segments
