"""Cutting loses nothing, keeps order and place, bounds size, overlaps and never cuts a word; whatever the text is."""

import re
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.artifacts import AnalyzedSegment, Cue, Locator, TextSource
from embedder.segments import (
    LONGEST_STRETCH_S,
    MAX_PASSAGES,
    MAX_TOKENS,
    OVERLAP_TOKENS,
    FileDescription,
    Stretch,
    cut,
    join,
    windows,
)
from embedder.tokens import LONGEST_UNIT, estimate_tokens

FILE = FileDescription("holiday_photo-01.jpg", "Holiday", "A photo of a beach.", ["image", "beach"])

words = st.text(alphabet="abcXYZéß0179'-@.", min_size=1, max_size=LONGEST_UNIT)
spaces = st.sampled_from([" ", " ", "\n", "\n\n", "  ", ". ", "! ", ", ", "。", "\t"])
prose = st.lists(st.tuples(words, spaces), max_size=600).map(lambda parts: "".join(w + s for w, s in parts))
anything = st.one_of(prose, st.text(max_size=1500), st.text(alphabet="猫が寝る。漢字 、\n", max_size=900))


def segment(text: str, source: TextSource = TextSource.TEXT, **place: object) -> AnalyzedSegment:
    return AnalyzedSegment(text=text, locator=Locator.model_validate(place), source=source)


def long_text(sentences: int) -> str:
    return " ".join(f"Sentence number {i} talks about the topic {i % 7} at some length." for i in range(sentences))


@settings(max_examples=200, deadline=None)
@given(anything)
def test_every_character_is_in_a_passage_and_the_order_is_kept(text: str) -> None:
    cuts = list(windows(text))
    covered = set().union(*(range(start, end) for start, end in cuts)) if cuts else set()
    assert all(i in covered for i, c in enumerate(text) if not c.isspace())
    assert all(a[0] < b[0] and a[1] < b[1] for a, b in pairwise(cuts))


@settings(max_examples=200, deadline=None)
@given(anything)
def test_no_passage_is_longer_than_the_model_reads(text: str) -> None:
    assert all(estimate_tokens(text[start:end]) <= MAX_TOKENS for start, end in windows(text))


@settings(max_examples=200, deadline=None)
@given(prose)
def test_no_word_is_cut(text: str) -> None:
    found = [m.span() for m in re.finditer(r"[^\W_]+", text) if m.end() - m.start() <= LONGEST_UNIT]
    edges = {edge for window in windows(text) for edge in window}
    for start, end in found:
        assert not edges & set(range(start + 1, end)), text[start:end]


@settings(max_examples=200, deadline=None)
@given(prose)
def test_neighbours_overlap_by_a_bounded_stretch(text: str) -> None:
    for one, other in pairwise(windows(text)):
        assert estimate_tokens(text[other[0] : one[1]]) <= OVERLAP_TOKENS


@settings(max_examples=100, deadline=None)
@given(prose)
def test_passages_without_their_overlaps_are_the_text(text: str) -> None:
    _, *passages = cut(FILE, [segment(text, page=3)]).passages
    assert "".join("".join(p.text[p.overlap :] for p in passages).split()) == "".join(text.split())
    joined = "".join(p.text[p.overlap :] for p in passages)
    assert joined in text or not all(p.overlap for p in passages[1:])


def test_passages_of_other_places_or_with_others_left_out_between_do_not_overlap(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    apart = cut(FILE, [segment(long_text(9), page=1), segment(long_text(9), page=2)]).passages
    assert [p.overlap for p in apart] == [0, 0, 0]
    monkeypatch.setattr("embedder.segments.MAX_PASSAGES", 5)
    spread = cut(FILE, [segment(long_text(200))]).passages
    assert [p.overlap for p in spread] == [0] * 5


def test_long_prose_is_cut_at_sentences_into_full_passages_that_overlap() -> None:
    text = long_text(200)
    cuts = list(windows(text))
    assert all(text[:end].rstrip().endswith(".") for _, end in cuts)
    assert all(other[0] < one[1] for one, other in pairwise(cuts))
    assert all(estimate_tokens(text[start:end]) > 0.6 * MAX_TOKENS for start, end in cuts[:-1])


def test_paragraphs_win_over_sentences() -> None:
    text = long_text(12) + "\n\n" + long_text(30)
    first = next(windows(text))
    assert text[: first[1]].strip() == long_text(12)


def test_text_without_spaces_is_cut_at_its_full_stops() -> None:
    text = "吾輩は猫である名前はまだ無い。" * 60
    cuts = list(windows(text))
    assert len(cuts) > 3
    assert all(text[end - 1] == "。" for _, end in cuts)


@pytest.mark.parametrize("text", ["x" * 5000, "0123456789" * 700, "https://example.com/?q=" + "a%20" * 900])
def test_an_endless_word_is_cut_all_the_same(text: str) -> None:
    cuts = list(windows(text))
    assert cuts[-1][1] == len(text)
    assert all(estimate_tokens(text[start:end]) <= MAX_TOKENS for start, end in cuts)


def test_passage_zero_says_what_the_file_is() -> None:
    first = cut(FILE, []).passages[0]
    assert first.source is TextSource.SUMMARY
    assert first.locator == Locator()
    for part in ("Holiday", "holiday photo 01", "beach", "A photo of a beach."):
        assert part in first.text


@pytest.mark.parametrize("name", ["", " ", ".gitignore", "🐈.jpg", "..."])
def test_a_file_that_says_nothing_still_has_a_passage(name: str) -> None:
    passages = cut(FileDescription(name or "?", "", "", []), []).passages
    assert [p.index for p in passages] == [0]
    assert passages[0].text


def test_passages_keep_place_and_source_and_count_up() -> None:
    passages = cut(FILE, [segment(long_text(60), page=2), segment("Read in a scan.", TextSource.OCR, page=3)]).passages
    assert [p.index for p in passages] == list(range(len(passages)))
    assert {p.locator.page for p in passages[1:-1]} == {2}
    assert (passages[-1].locator.page, passages[-1].source) == (3, TextSource.OCR)


def test_no_passage_spans_two_pages_or_sections() -> None:
    segments = [segment("One.", page=1), segment("Two.", page=2), segment("A", section="a"), segment("B", section="b")]
    assert [s.segment for s in join(segments)] == segments


def test_parts_of_one_page_are_put_together() -> None:
    parts = [
        segment("Top.", page=1),
        segment("  "),
        segment("Bottom.", page=1),
        segment("Seen.", TextSource.OCR, page=1),
    ]
    assert [s.segment.text for s in join(parts)] == ["Top.\n\nBottom.", "Seen."]


def test_short_timed_parts_become_one_moment() -> None:
    spoken = [segment(f"Line {i}.", TextSource.SPEECH, start_s=4.0 * i, end_s=4.0 * i + 3) for i in range(20)]
    joined = [s.segment for s in join(spoken)]
    assert (joined[0].locator.start_s, joined[0].locator.end_s) == (0, 27)
    assert all((s.locator.end_s or 0) - (s.locator.start_s or 0) <= LONGEST_STRETCH_S for s in joined)
    assert "\n".join(s.text for s in joined) == "\n".join(s.text for s in spoken)


def test_what_is_written_in_two_scenes_is_two_moments() -> None:
    scenes = [
        segment(text, TextSource.OCR, start_s=t, end_s=t + 4) for t, text in ((0, "Emma turns seven"), (4, "Cake"))
    ]
    assert [s.segment for s in join(scenes)] == scenes


def test_timed_parts_of_another_kind_or_out_of_order_stay_apart() -> None:
    parts = [
        segment("Said.", TextSource.SPEECH, start_s=0, end_s=2),
        segment("Shown.", TextSource.OCR, start_s=2, end_s=4),
        segment("Earlier.", TextSource.OCR, start_s=1, end_s=4),
        segment("No time.", TextSource.OCR),
    ]
    assert [s.segment for s in join(parts)] == parts


def test_timed_parts_without_an_end_are_joined_by_their_starts() -> None:
    [joined] = join([segment("a", TextSource.SPEECH, start_s=1), segment("b", TextSource.SPEECH, start_s=5)])
    assert joined.segment.locator == Locator(start_s=1, end_s=5)


def test_a_passage_of_several_lines_knows_when_each_is_spoken() -> None:
    lines = [
        segment(f"{word} is what they said.", TextSource.SUBTITLE, start_s=t, end_s=t + 2)
        for word, t in (("Grüße", 1.5), ("Observatory", 4), ("Tea", 25))
    ]
    [_, passage] = cut(FILE, lines).passages
    assert [(passage.text[cue.at :].split()[0], cue.start_s) for cue in passage.cues] == [
        ("Grüße", 1.5),
        ("Observatory", 4),
        ("Tea", 25),
    ]


def test_a_passage_cut_out_of_joined_lines_keeps_their_times() -> None:
    lines = segment("one two\nthree four\nfive", TextSource.SPEECH, start_s=0, end_s=9)
    stretch = Stretch(lines, (Cue(at=0, start_s=0), Cue(at=8, start_s=3), Cue(at=19, start_s=6)))
    part = stretch.passage(7, 3, 18, read_to=7)
    assert (part.index, part.text, part.overlap) == (7, "two\nthree four", 3)
    assert part.cues == (Cue(at=0, start_s=0), Cue(at=4, start_s=3))


def test_of_an_endless_file_a_spread_is_kept() -> None:
    passages = cut(FILE, [segment(f"Page {i} says so.", page=i + 1) for i in range(MAX_PASSAGES + 5000)]).passages
    assert len(passages) == MAX_PASSAGES
    assert passages[0].source is TextSource.SUMMARY
    pages = [p.locator.page or 0 for p in passages[1:]]
    assert pages == sorted(pages)
    assert pages[-1] > MAX_PASSAGES + 4990
    assert max(b - a for a, b in pairwise(pages)) <= 2
