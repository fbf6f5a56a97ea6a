"""Turns artifacts of analyzer and embedder into rows: texts with their words, vectors as ``halfvec``."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from contracts.artifacts import Analysis, Cue, Locator, Passages, TextSource
from contracts.events import MediaEmbeddedV1
from eventing.errors import Poison
from search import halfvec
from search.folding import is_unspaced
from search.tables import VECTOR_TABLES
from search.word_index import index_text

MAX_TEXT = 2000
"""Characters of one row; a passage has about 1200, a segment of an analysis (a page) may have many more."""

_WORD = re.compile(r"\S")
_ROMAN_NUMBER = re.compile("m{0,3}(?:cm|cd|d?c{0,3})(?:xc|xl|l?x{0,3})(?:ix|iv|v?i{0,3})")
_LEAST_LETTERS = 3
_SAID_ABOUT = frozenset({TextSource.SUMMARY, TextSource.METADATA})


@dataclass(frozen=True)
class PassageRow:
    """A text with its place in the file, its words as they are indexed, and when its lines are spoken.

    ``overlap``: how many code points of its beginning the text before ends with.
    """

    ordinal: int
    text: str
    source: TextSource
    locator: Locator
    words: str
    cues: Sequence[Cue] = ()
    overlap: int = 0


def storable(text: str) -> str:
    """Returns the text without NUL, the only character that Postgres does not store."""
    return text.replace("\x00", " ")


def passage_rows(passages: Passages) -> list[PassageRow]:
    """Returns one row per passage."""
    return [
        PassageRow(p.index, storable(p.text), p.source, p.locator, index_text(p.text), p.cues, p.overlap)
        for p in passages.passages
    ]


def segment_rows(analysis: Analysis) -> list[PassageRow]:
    """Returns the texts of an analysis, long ones in several rows; used until the embedder's passages replace them."""
    stretches = [(segment, part) for segment in analysis.segments for part in split(segment.text)]
    return [
        PassageRow(i, storable(part), segment.source, segment.locator, index_text(part))
        for i, (segment, part) in enumerate(stretches)
    ]


def has_meaning(row: PassageRow) -> bool:
    """False for a page's number, a code, a letter that was read in a picture: texts without a single word.

    Their vectors lie near every short query: of 40 common nouns MiniLM puts 16 at 0.29 or more of "3", 26 of "Q".
    """
    return any(map(_is_word, row.words.split()))


def has_own_text(rows: Sequence[PassageRow]) -> bool:
    """True if something is written or spoken in the file, beyond what the analysis says about it."""
    return any(row.source not in _SAID_ABOUT and row.words for row in rows)


def split(text: str) -> Iterator[str]:
    """Yields pieces of at most ``MAX_TEXT`` characters, cut between words if possible."""
    cut, end = 0, len(text.rstrip())
    while word := _WORD.search(text, cut):
        start = word.start()
        cut = start + MAX_TEXT
        if cut < end:
            cut = text.rfind(" ", start + MAX_TEXT // 2, cut) + 1 or cut
        yield text[start:cut].rstrip()


def _is_word(text: str) -> bool:
    if is_unspaced(text):
        return True
    return len(text) >= _LEAST_LETTERS and not any(map(str.isdigit, text)) and not _ROMAN_NUMBER.fullmatch(text)


def check_embedding(event: MediaEmbeddedV1, passages: Passages, vectors: bytes) -> None:
    """Raises ``Poison`` unless passages, vectors and the event's numbers agree."""
    count = len(passages.passages)
    if not event.model_id:
        raise Poison("the model that made the vectors has no name")
    if event.dimensions not in VECTOR_TABLES:
        raise Poison(f"no index for vectors of {event.dimensions} dimensions")
    if count != event.passage_count or [p.index for p in passages.passages] != list(range(count)):
        raise Poison(f"{count} passages, not {event.passage_count} in order from 0")
    if len(vectors) != count * event.dimensions * 4:
        raise Poison(f"{len(vectors)} bytes of vectors for {count} x {event.dimensions} float32")


def vector_rows(vectors: bytes, dimensions: int) -> list[bytes]:
    """Returns each row of little-endian float32 as a ``halfvec`` of length 1 (:mod:`search.halfvec`).

    Raises ``Poison`` for a row that is not finite or has no direction.
    """
    try:
        return halfvec.packed(np.frombuffer(vectors, "<f4").reshape(-1, dimensions))
    except ValueError as error:
        raise Poison(str(error)) from error
