"""Turns passages back into what is written or said in a file: overlaps once, speech line by line. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from search.store.file_text import StoredPassage


@dataclass(slots=True)
class TextPart:
    """A stretch of text at one place; spoken text has a part for each line.

    ``continues``: it goes on right where the part before ended, so that nothing is to be put between the two.
    """

    text: str
    source: str
    page: int | None = None
    start_s: float | None = None
    end_s: float | None = None
    section: str | None = None
    continues: bool = False


def parts_of(passages: Sequence[StoredPassage]) -> list[TextPart]:
    """Returns the parts of consecutive passages."""
    return [part for passage in passages for part in _parts(passage)]


def _parts(passage: StoredPassage) -> Iterator[TextPart]:
    for start, end, start_s, end_s in _lines(passage):
        text = passage.text[max(start, passage.overlap) : end]
        continues = start < passage.overlap
        if text.strip():
            yield TextPart(
                text=text.rstrip() if continues else text.strip(),
                source=passage.source,
                page=passage.page,
                start_s=start_s,
                end_s=end_s,
                section=passage.section,
                continues=continues,
            )


def _lines(passage: StoredPassage) -> Iterator[tuple[int, int, float | None, float | None]]:
    """Yields (start, end) in the text and in seconds of each line, or of the whole passage."""
    (_, first_s), *later = passage.cues or [(0, passage.start_s)]
    lines = [(0, first_s), *later, (len(passage.text), passage.end_s)]
    for (start, start_s), (end, end_s) in pairwise(lines):
        yield start, end, start_s, end_s
