"""What is read of passages: overlaps once, speech line by line, nothing lost."""

from typing import Any

from contracts.artifacts import AnalyzedSegment, Locator, TextSource
from embedder.segments import FileDescription, cut
from search.file_text import TextPart, parts_of
from search.store.file_text import StoredPassage


def passage(text: str, source: str = "text", **known: Any) -> StoredPassage:
    return StoredPassage(1, text, source, **known)


def test_what_was_cut_reads_as_it_was_written() -> None:
    written = "\n\n".join(f"In chapter {n} the keeper of lamp {n} goes up. " * 9 for n in range(12)).strip()
    segment = AnalyzedSegment(text=written, locator=Locator(page=2), source=TextSource.TEXT)
    _, *passages = cut(FileDescription("a.pdf", "", "", []), [segment]).passages
    parts = parts_of([passage(p.text, page=p.locator.page, overlap=p.overlap) for p in passages])
    assert len(parts) > 5
    assert [part.continues for part in parts] == [False] + [True] * (len(parts) - 1)
    assert "".join(part.text for part in parts) == written


def test_speech_comes_line_by_line_each_with_its_seconds() -> None:
    cues = [(0, 4.0), (6, 7.5), (10, 9.0)]
    parts = parts_of([passage("Hello\nyou\nthere", source="speech", start_s=4.0, end_s=11.0, cues=cues)])
    assert [(part.text, part.start_s, part.end_s) for part in parts] == [
        ("Hello", 4.0, 7.5),
        ("you", 7.5, 9.0),
        ("there", 9.0, 11.0),
    ]


def test_a_line_that_a_cut_falls_into_goes_on_in_the_next_passage() -> None:
    cues = [(0, 4.0), (12, 9.0)]
    (rest, later) = parts_of([passage("and over and\nout", source="speech", end_s=11.0, cues=cues, overlap=8)])
    assert rest == TextPart(" and", "speech", start_s=4.0, end_s=9.0, continues=True)
    assert (later.text, later.continues) == ("out", False)


def test_a_passage_of_nothing_new_is_left_out() -> None:
    assert parts_of([passage("said already", overlap=12), passage("   ")]) == []
