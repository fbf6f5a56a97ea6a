"""What is asked instead of words that occur nowhere: as names have them, and as the beginnings of others."""

import pytest

from search.query import MAX_TERMS, parse
from search.ranking import TextHit, no_passages
from search.relaxation import (
    discounted,
    inside,
    may_be_misspelt,
    may_be_misspelt_in_contents,
    name_words,
    one_letter_away,
    relaxed,
    unmatched,
)
from search.terms import Term

KNOWN = dict.fromkeys(("camel", "case", "holiday", "glacier", "survey", "kubernetes", "outage", "report", "garden"), 1)


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
    instead = relaxed(parsed, unmatched(parsed.terms, []), KNOWN)
    assert instead is not None
    assert tuple(word for term in instead.query.terms for word in term.words) == words
    assert instead.query.text == parsed.text


@pytest.mark.parametrize(
    "query", ["glacier", "plasma", "lacier", "garten", "kbrnts", "9f86d08", "INV-20418", "glac", "camelbox", "caracase"]
)
def test_where_nothing_is_near_it_is_the_beginning_of_something(query):
    parsed = parse(query)
    known = {word: 1 for word in KNOWN if word != "garden"} if query == "garten" else KNOWN
    instead = relaxed(parsed, unmatched(parsed.terms, []), known)
    assert instead is not None
    assert instead.query.terms == (Term(parsed.terms[0].words, begins=True),)


@pytest.mark.parametrize(
    ("query", "beginning"),
    [
        *(("naprawa", "napraw"), ("dachów", "dach"), ("dachami", "dach"), ("zarządcy", "zarzadc")),
        *(("budynkiem", "budynki"), ("oken", "oken"), ("střechy", "strech"), ("домами", "домами"), ("вулиці", "вулиц")),
        *(("okna", "okna"), ("R2D2unit", "r2d2unit")),
    ],
)
def test_in_a_language_without_a_stemmer_a_beginning_has_no_ending(query, beginning):
    parsed = parse(query)
    instead = relaxed(parsed, unmatched(parsed.terms, []), {}, unstemmed=True)
    assert instead is not None
    assert instead.query.terms == (Term((beginning,), begins=True),)


@pytest.mark.parametrize("query", ["gla", "東京都庁", "20418", '"glaci"'])
def test_too_few_letters_numbers_and_what_is_quoted_begin_nothing(query):
    parsed = parse(query)
    assert relaxed(parsed, unmatched(parsed.terms, []), KNOWN) is None


def test_one_word_of_many_that_occurs_nowhere_is_no_reason_to_look_wider():
    parsed = parse("how deep is the harbor")
    assert relaxed(parsed, {"harbor"}, {}) is None
    assert relaxed(parse("deep harbor"), {"harbor"}, {}) is not None


def test_of_a_file_name_that_occurs_nowhere_each_word_is_looked_for():
    for name, words in (
        ("lease-agreement-2.docx", ("lease", "agreement")),
        ("scan0007.jpg", ("scan0007",)),
        ("find_by_customer", ("find", "by", "customer")),
        ("Skoda-Octavia-2024", ("skoda", "octavia", "2024")),
    ):
        parsed = parse(name)
        instead = relaxed(parsed, unmatched(parsed.terms, []), {})
        assert instead is not None
        assert instead.query.terms == tuple(Term((word,)) for word in words)


def test_an_identifier_that_occurs_nowhere_is_looked_for_in_words_whatever_else_was_found():
    instead = relaxed(parse("annual_report of the old lighthouse"), {"annual", "report"}, {})
    assert instead is not None
    assert instead.query.terms[:2] == (Term(("annual",)), Term(("report",)))


def test_what_is_spelt_right_in_a_misspelt_name_stays():
    parsed = parse("glacier_survay.srt")
    instead = relaxed(parsed, {"glacier", "survay", "srt"}, {"glacier": 1, "glaciers": 1, "survey": 1})
    assert instead is not None
    assert instead.query.terms == (Term(("glacier", "survey", "srt")),)


def test_a_file_name_of_many_words_gives_no_more_terms_than_a_query_may_have():
    parsed = parse("-".join(f"word{'abcdefghij'[n // 10]}{'abcdefghij'[n % 10]}" for n in range(90)) + ".pdf")
    instead = relaxed(parsed, unmatched(parsed.terms, []), {})
    assert instead is not None
    assert len(instead.query.terms) == MAX_TERMS


def test_words_that_were_found_are_not_doubted():
    query = parse("glacer survay")
    assert unmatched(query.terms, [hit("glacer")]) == {"survay"}
    assert unmatched(query.terms, [hit("glacer"), hit("survay")]) == set()
    assert may_be_misspelt({"survay", "abc", "x2000", "東京"}) == {"survay"}


def test_a_misspelt_file_name_is_no_longer_literal():
    query = parse("glacer-survey.pdf")
    assert query.terms[0].literal
    instead = relaxed(query, unmatched(query.terms, []), KNOWN)
    assert instead is not None
    assert instead.query.terms == (Term(("glacier", "survey", "pdf")),)


def test_a_guess_counts_less():
    assert discounted([hit(coverage=0.5)])[0].coverage == pytest.approx(0.4)


def test_words_of_a_name():
    assert name_words("Kündigung_final.v2 (copy).PDF") == {"kundigung", "final", "copy"}


def test_humps_and_digits_part_the_words_of_a_name():
    assert name_words("IMG_1234_CamelCaseHoliday2.txt") == {"camel", "case", "holiday"}
    assert name_words("CamelCase.txt") == {"camelcase", "camel", "case"}


def test_what_a_word_was_parted_into_must_follow_each_other():
    query = parse("CamelCase photos")
    instead = relaxed(query, {"camelcase"}, KNOWN)
    assert instead is not None
    assert instead.query.terms == (Term(("camel", "case")), Term(("photos",)))


def test_what_may_be_inside_of_a_word():
    assert inside("ice") == set()
    assert inside("glacie") == {"glac", "laci", "acie", "glaci", "lacie"}


def test_of_words_as_near_the_more_frequent_is_meant():
    for known in ({"harbour": 3, "harbors": 1}, {"harbors": 1, "harbour": 3}):
        instead = relaxed(parse("harbor"), {"harbor"}, known)
        assert instead is not None
        assert instead.corrections == {"harbor": ("harbour",)}
    instead = relaxed(parse("planetarum"), {"planetarum"}, {"planetaria": 9, "planetarium": 1})
    assert instead is not None
    assert instead.corrections == {"planetarum": ("planetarium",)}


def test_what_is_quoted_is_said_to_be_taken_for_nothing_else():
    assert relaxed(parse('"glacer survay"'), {"glacer", "survay"}, KNOWN) is None
    instead = relaxed(parse('"glacer" survay'), {"glacer", "survay"}, KNOWN)
    assert instead is not None
    assert instead.corrections == {"survay": ("survey",)}


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        *(("planetarum", "planetarium"), ("ibuprofin", "ibuprofen"), ("recieve", "receive"), ("sardiness", "sardines")),
        *(("памидоров", "помидоров"), ("λιμανη", "λιμανι")),
    ],
)
def test_one_letter_may_be_missing_wrong_swapped_or_too_much(typed, meant):
    spellings = one_letter_away(typed)
    assert meant in spellings
    assert typed not in spellings
    assert {spelling[0] for spelling in spellings} == {typed[0]}


def test_two_letters_and_another_first_one_make_another_word():
    assert one_letter_away("planetarum").isdisjoint({"planterium", "slanetarum", "lanetarum"})


def test_in_other_scripts_letters_are_only_left_out_and_swapped():
    assert one_letter_away("नमसत") == {"नमस", "नमत", "नसत", "नसमत", "नमतस"}


def test_short_words_are_not_put_right_by_contents():
    assert may_be_misspelt_in_contents({"trail", "planetarum", "x2000y", "東京タワーへ行"}) == {"planetarum"}
