"""Turns the pictures of a file into text segments, in order, within a budget of time; a failure is named, not fatal."""

import asyncio
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from analyzer.backends.backend import ArtifactReader
from analyzer.backends.local.ocr import OcrFailed, OcrProcess
from analyzer.backends.local.reading_order import page_text
from analyzer.backends.local.vision.viewing import PictureUnviewable, Viewer
from contracts.artifacts import AnalyzedSegment, Degradation, Locator, MaterialPicture, MaterialText, TextSource

_MOST_CONCEPTS = 5
_WORD = re.compile(r"\w+")


@dataclass
class Seen:
    """What was read and seen in the pictures; ``colours`` are those of the first picture that could be looked at.

    ``concepts`` are named by a vision model, the most frequent first.
    """

    segments: list[AnalyzedSegment] = field(default_factory=list[AnalyzedSegment])
    colours: tuple[str, ...] = ()
    concepts: tuple[str, ...] = ()
    degradations: list[Degradation] = field(default_factory=list[Degradation])


@dataclass
class _Notes:
    """By picture: the words in it and what it shows."""

    words: dict[int, str] = field(default_factory=dict[int, str])
    shown: dict[int, tuple[str, ...]] = field(default_factory=dict[int, tuple[str, ...]])
    failures: list[str] = field(default_factory=list[str])


async def look_at(
    pictures: Sequence[MaterialPicture],
    read: ArtifactReader,
    ocr: OcrProcess,
    budget_s: float,
    viewer: Viewer | None,
) -> Seen:
    """Reads every picture in turn; after ``budget_s`` seconds the rest is left out and the result says so.

    When time runs out it is the spread that suffers, not the end: pictures are taken in halving steps over the file.
    """
    clock = asyncio.get_running_loop().time
    ends = clock() + budget_s
    seen, notes = Seen(), _Notes()
    order = spread_order(len(pictures))
    for done, index in enumerate(order):
        if clock() > ends:
            reason = f"{len(order) - done} of {len(order)} pictures were not read: time ran out"
            seen.degradations.append(Degradation(step="ocr", reason=reason))
            break
        picture = await read(pictures[index].image)
        try:
            if viewer:
                notes.shown[index] = await viewer.view(picture)
            answer = await ocr.read(picture)
        except (OcrFailed, PictureUnviewable) as error:
            notes.failures.append(str(error))
            continue
        notes.words[index] = page_text(answer.lines)
        seen.colours = seen.colours or answer.colours
    if notes.failures:
        reason = f"{len(notes.failures)} of {len(order)} pictures could not be read: {notes.failures[0]}"
        seen.degradations.append(Degradation(step="ocr", reason=reason[:500]))
    said = {index: f"Shows {', '.join(concepts)}." for index, concepts in notes.shown.items() if concepts}
    seen.segments = _segments(pictures, notes.words, TextSource.OCR) + _segments(pictures, said, TextSource.SUMMARY)
    counted = Counter(concept for _, concepts in sorted(notes.shown.items()) for concept in concepts)
    seen.concepts = tuple(concept for concept, _ in counted.most_common(_MOST_CONCEPTS))
    return seen


def unwritten(segments: Sequence[AnalyzedSegment], texts: Sequence[MaterialText]) -> list[AnalyzedSegment]:
    """Leaves out what was read in the picture of a page on which every word of it is written as well."""
    words: dict[Locator, set[str]] = {segment.locator: set() for segment in segments}
    for text in texts:
        if text.locator in words:
            words[text.locator].update(_WORD.findall(text.text.casefold()))
    return [
        segment
        for segment in segments
        if segment.source is not TextSource.OCR
        or not words[segment.locator].issuperset(_WORD.findall(segment.text.casefold()))
    ]


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


def _segments(pictures: Sequence[MaterialPicture], texts: dict[int, str], source: TextSource) -> list[AnalyzedSegment]:
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
            segments.append(AnalyzedSegment(text=text, locator=locator, source=source))
        previous = index
    return segments
