"""Which words may be misspelt, and what they are taken for."""

import pytest

from search.query import Term, parse
from search.ranking import TextHit, no_passages
from search.typos import corrected, doubtful, guessed, inside, name_words

KNOWN = ("camel", "case", "holiday", "glacier", "survey", "kubernetes", "outage", "report", "garden")


def hit(*found: str, coverage: float = 1.0) -> TextHit:
    return TextHit("u", coverage, literal=False, matched=frozenset(), passages=no_passages, found=frozenset(found))


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("glacer", ("glacier",)),
        ("reprot", ("report",)),
        ("kubrnets", ("kubernetes",)),
        ("GLACER survey", ("glacier", "survey")),
        ("Holliday", ("holiday",)),
        ("CamelCase", ("camel", "case")),
        ("camelcaseholiday", ("camel", "case", "holiday")),
    ],
)
def test_the_nearest_known_word_is_meant(query, words):
    parsed = parse(query)
    put_right = corrected(parsed, doubtful(parsed, []), KNOWN)
    assert put_right is not None
    assert tuple(word for term in put_right.terms for word in term.words) == words
    assert put_right.text == parsed.text


@pytest.mark.parametrize(
    "query", ["glacier", "plasma", "lacier", "garten", "kbrnts", "東京都庁", "INV-20418", "gla", "camelbox", "caracase"]
)
def test_nothing_is_guessed_where_nothing_is_near(query):
    parsed = parse(query)
    known = tuple(word for word in KNOWN if word != "garden") if query == "garten" else KNOWN
    assert corrected(parsed, doubtful(parsed, []), known) is None


def test_words_that_were_found_are_not_doubted():
    query = parse("glacer survay")
    assert doubtful(query, [hit("glacer")]) == {"survay"}
    assert doubtful(query, [hit("glacer"), hit("survay")]) == set()


def test_a_misspelt_file_name_is_no_longer_literal():
    query = parse("glacer-survey.pdf")
    assert query.terms[0].literal
    put_right = corrected(query, doubtful(query, []), KNOWN)
    assert put_right is not None
    assert put_right.terms == (Term(("glacier", "survey", "pdf")),)


def test_a_guess_counts_less():
    assert guessed([hit(coverage=0.5)])[0].coverage == pytest.approx(0.4)


def test_words_of_a_name():
    assert name_words("Kündigung_final.v2 (copy).PDF") == {"kundigung", "final", "copy"}


def test_humps_and_digits_part_the_words_of_a_name():
    assert name_words("IMG_1234_CamelCaseHoliday2.txt") == {"camel", "case", "holiday"}
    assert name_words("CamelCase.txt") == {"camelcase", "camel", "case"}


def test_what_a_word_was_parted_into_must_follow_each_other():
    query = parse("CamelCase photos")
    put_right = corrected(query, {"camelcase"}, KNOWN)
    assert put_right is not None
    assert put_right.terms == (Term(("camel", "case")), Term(("photos",)))


def test_what_may_be_inside_of_a_word():
    assert inside("ice") == set()
    assert inside("glacie") == {"glac", "laci", "acie", "glaci", "lacie"}
