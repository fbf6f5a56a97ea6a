"""Turns the segments of an analysis into passages of about 200 tokens that overlap, each with its place in the file.

Passage 0 says what the file is (title, name, labels, summary), so that a file without text is found by meaning too.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice, pairwise
from pathlib import PurePath

from contracts.artifacts import AnalyzedSegment, Cue, Locator, Passage, Passages, TextSource
from embedder.tokens import Unit, estimate_tokens, units

ALGORITHM = "cut3"
"""Changes whenever the same text would be cut differently."""

MAX_TOKENS = 220
"""The local model reads 254; the rest is room for what the estimate misses."""

OVERLAP_TOKENS = 33
"""15 %: a sentence that a cut falls into stands whole in one of the two passages."""

LONGEST_STRETCH_S = 30.0
"""Timed parts are joined up to this length; where each began in it is kept, so that a hit points at its line."""

MAX_PASSAGES = 10_000
"""Three to six minutes of local inference, the second delivery going on where the first ran out of time. Of a longer
file every n-th passage is kept, over its whole length."""

_FLOWING = frozenset({TextSource.SPEECH, TextSource.SUBTITLE})
"""Timed text that goes on from part to part. What is written in a frame belongs to its scene alone."""

_BREAKS = (
    (re.compile(r"\n\s*\n\s*$"), 0.5),
    (re.compile(r"[.!?…。！？][\"'”’)\]]*\s*$"), 0.6),  # noqa: RUF001
    (re.compile(r"([,;:，、；：]|\n)\s*$"), 0.8),  # noqa: RUF001
)
"""Where to end a passage, best first, and how full it must be for that."""

_FIRST_WIDE = "\u2e80"

_NAME_SEPARATORS = re.compile(r"[\W_]+|(?<=[a-zà-ÿ])(?=[A-ZÀ-Þ])")


@dataclass(frozen=True)
class FileDescription:
    """What is known about the file as a whole."""

    filename: str
    title: str
    summary: str
    labels: Sequence[str]


@dataclass(frozen=True)
class Stretch:
    """Neighbouring segments as one; ``cues`` say where in its text each began, if at different times."""

    segment: AnalyzedSegment
    cues: tuple[Cue, ...] = ()

    def passage(self, index: int, start: int, end: int, read_to: int) -> Passage:
        """The part of the text from ``start`` to ``end``, with the cues that fall into it.

        ``read_to``: where the passage before ends in the same text, 0 if it is of another.
        """
        part = self.segment.text[start:end]
        start += len(part) - len(part.lstrip())
        begun = max((cue.at for cue in self.cues if cue.at <= start), default=start)
        cues = [Cue(at=max(cue.at - start, 0), start_s=cue.start_s) for cue in self.cues if begun <= cue.at < end]
        text, segment = part.strip(), self.segment
        return Passage(
            index=index,
            text=text,
            locator=segment.locator,
            source=segment.source,
            cues=tuple(cues),
            overlap=min(max(read_to - start, 0), len(text)),
        )


_Piece = tuple[Stretch, int, int]
"""(stretch, start, end) in its text."""


def cut(description: FileDescription, segments: Sequence[AnalyzedSegment]) -> Passages:
    """All passages in the order of the segments. Pure: the same input gives the same passages."""
    whole = AnalyzedSegment(text=_about(description), locator=Locator(), source=TextSource.SUMMARY)
    pieces = [
        (stretch, start, end)
        for stretch in chain([Stretch(whole)], join(segments))
        for start, end in windows(stretch.segment.text)
    ]
    kept = _spread(pieces, MAX_PASSAGES)
    ends = [0, *(_read_to(piece, after) for piece, after in pairwise(kept))]
    return Passages(
        passages=tuple(
            stretch.passage(index, start, end, read_to)
            for index, ((stretch, start, end), read_to) in enumerate(zip(kept, ends, strict=True))
        )
    )


def join(segments: Sequence[AnalyzedSegment]) -> Iterator[Stretch]:
    """Puts together neighbours that are one place: parts of a page, or short spoken parts within 30 s."""
    group: list[AnalyzedSegment] = []
    tokens = 0
    for segment in segments:
        if not segment.text.strip():
            continue
        size = estimate_tokens(segment.text)
        if group and not (_same_place(group[0], segment) or _same_moment(group, segment, tokens + size)):
            yield _merged(group)
            group, tokens = [], 0
        group.append(segment)
        tokens += size
    if group:
        yield _merged(group)


def windows(text: str) -> Iterator[tuple[int, int]]:
    """``(start, end)`` of each passage in the text: every word is in one, none is cut, neighbours overlap."""
    stream = units(text)
    words: list[Unit] = []  # only what one passage can hold: a text of 20 MB has millions
    while True:
        words += islice(stream, MAX_TOKENS + 1 - len(words))
        full = _fill(words)
        if full == len(words):
            break
        last = _best_end(text, words, full)
        yield words[0].start, words[last - 1].end
        del words[: max(_overlap_start(text, words, last), 1)]
    if words:
        yield words[0].start, words[-1].end


def _fill(words: Sequence[Unit]) -> int:
    tokens, last = 0, 0
    while last < len(words) and (last == 0 or tokens + words[last].tokens <= MAX_TOKENS):
        tokens += words[last].tokens
        last += 1
    return last


def _best_end(text: str, words: Sequence[Unit], full: int) -> int:
    """The last good place to stop: the end of a paragraph, else of a sentence, a clause, a word."""
    for pattern, least in _BREAKS:
        for last in range(full, max(1, int(full * least)), -1):
            unit = words[last - 1]
            if pattern.search(text, unit.start, unit.end):
                return last
    last = full
    # A run without a space is one word even where it is many units long.
    while last > 1 and _inside_a_word(text, words[last - 1]):
        last -= 1
    return full if _inside_a_word(text, words[last - 1]) else last


def _inside_a_word(text: str, unit: Unit) -> bool:
    if unit.end >= len(text) or unit.end - unit.start == 1:
        return False
    return text[unit.end - 1].isalnum() and text[unit.end].isalnum() and not text[unit.end] >= _FIRST_WIDE


def _overlap_start(text: str, words: Sequence[Unit], last: int) -> int:
    tokens, start = 0, last
    while start > 0 and tokens + words[start - 1].tokens <= OVERLAP_TOKENS:
        start -= 1
        tokens += words[start].tokens
    while 0 < start < last and _inside_a_word(text, words[start - 1]):
        start += 1
    return start


def _same_place(one: AnalyzedSegment, other: AnalyzedSegment) -> bool:
    return one.source is other.source and one.locator == other.locator


def _same_moment(group: Sequence[AnalyzedSegment], segment: AnalyzedSegment, tokens: int) -> bool:
    a, b = group[0].locator, segment.locator
    if a.start_s is None or b.start_s is None or group[0].source is not segment.source:
        return False
    if segment.source not in _FLOWING:
        return False
    in_order = b.start_s >= (group[-1].locator.start_s or 0) and (a.page, a.section) == (b.page, b.section)
    return in_order and _end_s([*group, segment]) - a.start_s <= LONGEST_STRETCH_S and tokens <= MAX_TOKENS


def _end_s(group: Sequence[AnalyzedSegment]) -> float:
    return max(s.locator.start_s or 0 if s.locator.end_s is None else s.locator.end_s for s in group)


def _merged(group: Sequence[AnalyzedSegment]) -> Stretch:
    first = group[0]
    if len(group) == 1:
        return Stretch(first)
    if all(segment.locator == first.locator for segment in group):
        return Stretch(first.model_copy(update={"text": "\n\n".join(segment.text for segment in group)}))
    locator = first.locator.model_copy(update={"end_s": _end_s(group)})
    cues, at = list[Cue](), 0
    for segment in group:
        cues.append(Cue(at=at, start_s=segment.locator.start_s or 0))
        at += len(segment.text) + 1
    text = "\n".join(segment.text for segment in group)
    return Stretch(first.model_copy(update={"text": text, "locator": locator}), tuple(cues))


def _about(description: FileDescription) -> str:
    stem = PurePath(description.filename).stem if "." in description.filename.strip(".") else description.filename
    name = " ".join(_NAME_SEPARATORS.sub(" ", stem).split())
    heading = description.title if name.casefold() == description.title.casefold() else f"{description.title} ({name})"
    labels = ", ".join(description.labels)
    return (
        "\n".join(line for line in (heading, labels, description.summary) if line.strip())
        or description.filename.strip()
        or "file"
    )


def _read_to(piece: _Piece, after: _Piece) -> int:
    """Where the text of ``piece`` ends, if ``after`` is of the same stretch; else 0."""
    stretch, start, end = piece
    return start + len(stretch.segment.text[start:end].rstrip()) if after[0] is stretch else 0


def _spread(pieces: Sequence[_Piece], most: int) -> Sequence[_Piece]:
    if len(pieces) <= most:
        return pieces
    return [pieces[index * len(pieces) // most] for index in range(most)]
