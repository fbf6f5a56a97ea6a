"""The line of a film in which the query's words fall decides where it begins to play."""

import json

import pytest

from contracts.artifacts import Cue
from search.cues import start_of, stored
from search.snippets import Highlighter

TEXT = "The captain sleeps.\nWe found the lost observatory.\nLet us have tea, the best."
CUES = ((0, 2.0), (20, 11.5), (51, 25.0))


@pytest.mark.parametrize(
    ("wanted", "second"),
    [
        ({"captain"}, 2.0),
        ({"observatory"}, 11.5),
        ({"tea"}, 25.0),
        ({"the", "observatory"}, 11.5),
        ({"the"}, 2.0),
        ({"submarine"}, None),
    ],
)
def test_the_line_with_most_of_the_words_is_where_it_begins(wanted: set[str], second: float | None) -> None:
    assert start_of(CUES, Highlighter(wanted).snippet(TEXT).found) == second


def test_a_long_passage_is_looked_at_whole() -> None:
    text = "Hello. " * 100 + "\nGoodbye, lighthouse."
    found = Highlighter({"lighthouse"}).snippet(text).found
    assert start_of(((0, 1.0), (text.index("\n") + 1, 29.0)), found) == 29.0


def test_a_passage_of_one_place_has_no_lines() -> None:
    assert start_of((), ((0, 4),)) is None
    assert stored(()) is None


def test_lines_are_stored_as_pairs() -> None:
    assert json.loads(stored([Cue(at=0, start_s=2), Cue(at=20, start_s=11.5)]) or "") == [[0, 2.0], [20, 11.5]]
