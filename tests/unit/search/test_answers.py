"""Moments of a file as they are answered: each says something of its own, the best first."""

from datetime import UTC, datetime

import pytest

from search.answers import file_answer
from search.query import parse
from search.ranking import MatchReason, PassageHit, PassageKey, RankedFile
from search.snippets import Highlighters
from search.store.retrieval import FoundFile, FoundPassage
from search.trimming import MAX_SNIPPET

LOST = "After nine days the captain found the lost observatory of Ulugh Beg on a hill."
TEA = "Then everybody had tea and went to bed early."
SNOW = "It had been snowing in the mountains since the morning of the second day."
FILLING = "Nobody had seen a map of that country, and those who lived there would not speak. "


def passage(text, *, page=None, start_s=None, end_s=None, section=None, source="text", cues=None):
    return FoundPassage(text, source, page, start_s, end_s, section, cues)


def moments(query, *passages):
    """Of a file with these passages, the best first."""
    keys = [PassageKey("m", n) for n in range(len(passages))]
    file = FoundFile(
        upload_id="1" * 32,
        filename="a.txt",
        kind="document",
        media_type="text/plain",
        size_bytes=1,
        created_at=datetime(2026, 3, 5, tzinfo=UTC),
        title=None,
        summary=None,
        has_thumbnail=False,
        has_storyboard=False,
        flagged=None,
        language=None,
        status="complete",
        passages=dict(zip(keys, passages, strict=True)),
    )
    hits = [PassageHit(key, 1 - n / 10) for n, key in enumerate(keys)]
    ranked = RankedFile(
        "1" * 32, 1.0, 1.0, literal=False, matched=frozenset({MatchReason.TEXT}), text_passages=lambda: hits
    )
    return file_answer(file, ranked, Highlighters(parse(query).terms)).moments


def texts(*arguments):
    return [moment.text for moment in moments(*arguments)]


def test_a_sentence_where_two_passages_overlap_is_shown_once():
    one, other = passage(f"{SNOW} {FILLING * 8}{LOST}"), passage(f"{LOST[15:]} {FILLING * 8}{TEA}")
    for first, second in ((one, other), (other, one)):
        for query in ("lost observatory", '"lost observatory"', "captain"):
            (moment,) = moments(query, first, second)
            assert moment.score == 1.0, "the better one stays"
            assert "lost observatory" in moment.text


def test_a_sentence_that_both_cut_differently_is_shown_once():
    long = FILLING.strip(". ") + ", and " + LOST.rstrip(".") + ", and " + FILLING
    assert len(moments("lost observatory", passage(long * 3), passage(long[40:150]))) == 1


def test_what_overlaps_and_says_more_that_was_looked_for_stays():
    one, other = f"{SNOW} {LOST}", f"{LOST} {FILLING} The captain of another ship told where that lost observatory was."
    assert texts("lost observatory captain", passage(one), passage(other)) == [one, other]


def test_other_words_around_the_same_ones_are_another_moment():
    lines = [f"Day {n}: the ship lay at the quay of the old harbour and waited." for n in range(3)]
    assert texts("ship harbour", *map(passage, lines)) == lines
    lines = ["The harbour", "The harbour froze in January, and all the ships lay still.", "No harbour froze in March."]
    assert texts("harbour froze", *map(passage, lines)) == lines


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"page": 1}, {"page": 2}),
        ({"section": "Lake"}, {"section": "Hill"}),
        ({"start_s": 1.0, "end_s": 9.0}, {"start_s": 9.0, "end_s": 20.0}),
        ({"start_s": 9.0}, {"start_s": 1.0}),
        ({"start_s": 1.0}, {}),
    ],
)
def test_the_same_at_another_page_section_or_second_is_another_moment(one, other):
    assert len(moments("observatory", passage(LOST, **one), passage(LOST, **other))) == 2


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"page": 1}, {"page": 1, "source": "ocr"}),
        ({"start_s": 1.0, "end_s": 9.0}, {"start_s": 4.0, "end_s": 20.0}),
        ({"start_s": 4.0, "end_s": 20.0}, {"start_s": 1.0, "end_s": 9.0}),
        ({"start_s": 4.0}, {"start_s": 4.0}),
        ({"page": 7}, {"source": "summary"}),
        ({"source": "summary"}, {"page": 7}),
        ({"source": "summary"}, {"source": "metadata"}),
    ],
)
def test_the_same_at_one_place_is_one_moment_and_that_inside_the_file(one, other):
    (moment,) = moments("observatory", passage(f"{SNOW} {LOST}", **one), passage(f"{LOST} {TEA}", **other))
    places = [place for place in (one, other) if place.get("source") != "summary"]
    assert moment.page == (places[0].get("page") if places else None)


def test_a_spoken_line_is_one_moment_whichever_passages_it_is_in():
    one = passage(f"{SNOW}\n{LOST}", start_s=2.0, end_s=30.0, cues=((0, 2.0), (len(SNOW) + 1, 11.5)))
    other = passage(f"{LOST}\n{TEA}", start_s=2.0, end_s=30.0, cues=((0, 11.5), (len(LOST) + 1, 25.0)))
    assert [moment.start_s for moment in moments("observatory", one, other)] == [11.5]
    assert [moment.start_s for moment in moments("captain tea", one, other)] == [11.5, 11.5]


def test_without_anything_to_highlight_what_is_mostly_there_already_is_left_out():
    story = SNOW + " " + TEA + " " + FILLING + LOST
    assert len(story) < MAX_SNIPPET
    assert texts("zebra", passage(story), passage(story[30:])) == [story]
    assert len(moments("zebra", passage(story), passage(TEA), passage(f"{LOST} {FILLING * 3}"))) == 2


def test_what_is_said_of_the_whole_file_comes_last():
    found = moments("ship tea", passage("A ship", source="summary"), passage(TEA, page=2), passage("ships", page=3))
    assert [moment.source for moment in found] == ["text", "text", "summary"]


def test_three_are_shown_and_what_repeats_takes_no_place():
    whole = [passage("The tea garden.", source="summary"), passage("Title: tea garden", source="metadata")]
    others = [passage(f"Tea of sort {word} is grown on its slopes.", page=page) for page, word in enumerate("abc", 1)]
    found = moments("tea", *whole, *others)
    assert [moment.page for moment in found] == [1, 2, 3]
    assert [moment.source for moment in moments("tea", *whole, others[0])] == ["text", "summary", "metadata"]


def test_passages_that_are_gone_are_no_moments():
    assert moments("tea") == []


def test_only_neighbours_overlap_so_what_is_said_again_further_on_is_another_place():
    said = passage(LOST)
    between = passage(f"{SNOW} No captain came.")
    assert texts("lost observatory captain", said, between, said) == [LOST, f"{SNOW} No captain came.", LOST]
    assert texts("lost observatory captain", said, said) == [LOST]
