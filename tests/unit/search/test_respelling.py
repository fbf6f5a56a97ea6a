"""Other spellings of what was typed: options, identifiers, numbers in groups, words written apart, dates."""

import pytest

from search import dates
from search.folding import words
from search.query import parse
from search.terms import Term


def spellings(text: str) -> set[str]:
    """Every phrase that is looked for, its words joined by spaces."""
    return {" ".join(phrase) for term in parse(text).terms for phrase in (term.words, *term.respelt)}


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("--no-cache", [Term(("no", "cache"), literal=True)]),
        ("docker --verbose", [Term(("docker",)), Term(("verbose",))]),
        ("chmod -R", [Term(("chmod",)), Term(("r",))]),
        ("find_by_customer_id", [Term(("find", "by", "customer", "id"), literal=True)]),
        ("__init_subclass__", [Term(("init", "subclass"), literal=True)]),
        ("std::vector", [Term(("std", "vector"), literal=True)]),
        ("harbour -- boats", [Term(("harbour",)), Term(("boats",))]),
    ],
)
def test_options_and_identifiers_are_looked_for_as_they_are(text, terms):
    query = parse(text)
    assert (list(query.terms), query.excluded) == (terms, ())


def test_a_minus_before_a_word_still_excludes():
    assert parse("jaguar -car").excluded == (Term(("car",), literal=True),)


def test_numbers_and_units_may_be_written_together_or_apart():
    assert "13 4 kg" in spellings("13.4kg")
    assert "13 4kg" in spellings("13.4 kg")
    assert "977200009123" in spellings("chip 977 2000 09123")
    assert not {"2024100", "10020"} & spellings("2024 100 20"), "too short to be one number"
    assert max(map(len, spellings(" ".join(["123456"] * 100)))) <= 40


@pytest.mark.parametrize(
    ("text", "others"),
    [
        ("LV19KXD", {"lv 19 kxd", "lv19 kxd", "lv 19kxd"}),
        ("35KRT082", {"35 krt 082", "35krt 082", "35 krt082"}),
        ("03N 115 562 B", {"03n115562b"}),
        ("4TB", {"4 tb"}),
        ("22µg/L", {"22 μg l"}),
        ("250ml", {"250 ml"}),
    ],
)
def test_codes_and_quantities_may_be_parted_elsewhere(text, others):
    assert others <= spellings(text)


@pytest.mark.parametrize("text", ["9f86d081884c", "v2.3.1", "mp3"])
def test_hashes_versions_and_short_words_are_not_parted(text):
    assert not {"9 f 86", "9f86d 081884c", "v 2 3 1", "mp 3"} & spellings(text)


def test_words_may_be_written_apart_in_a_short_query_alone():
    assert "whiteboard" in spellings("white board")
    assert "fahrradstellplatz" in spellings("Fahrrad Stellplatz mieten")
    assert "bluewhale" not in spellings("how large is a blue whale")
    assert "whiteboard" not in spellings('"white" board')
    assert "aboard" not in spellings("a board")


@pytest.mark.parametrize(
    "text",
    [
        *("12.03.2024", "12.3.2024", "2024-03-12", "(2024-03-12)", "2024-03-12?", "12 March 2024", "March 12, 2024"),
        *("12. März 2024", "12 mars 2024", "12th of March 2024", "12 de marzo de 2024"),
    ],
)
def test_a_date_is_found_in_figures_and_with_the_name_of_its_month(text):
    written = [
        "12 3 2024",
        "12 03 2024",
        "2024 03 12",
        "12 march 2024",
        "march 12 2024",
        "12 marz 2024",
        "12 marca 2024",
    ]
    assert spellings(text) >= {*written, "12 de marzo de 2024", "12 de marco de 2024"}


def test_a_day_may_have_two_figures_before_the_name_of_a_month():
    assert {"5 march 2024", "05 march 2024"} <= spellings("2024-03-05")


def test_a_day_may_be_an_ordinal_or_stand_behind_its_month():
    assert {"14th may 1987", "may 14th 1987", "14th of may 1987", "5 14 1987"} <= spellings("14.05.1987")
    assert {"1st march 2025", "1er mars 2025"} <= spellings("01/03/2025")
    assert {"22nd", "23rd", "11th"} <= {
        word for text in ("22.11.2024", "23.11.2024", "11.11.2024") for word in words(" ".join(spellings(text)))
    }
    assert "11 12 2024" not in spellings("12.11.2024"), "that is the eleventh of December"


def test_no_code_is_its_own_other_spelling():
    for text in ("2024-03-12", "v2.3.1", "PO-88012", "250ml"):
        (term,) = parse(text).terms
        assert term.words not in term.respelt, text


def test_signs_around_a_code_are_no_part_of_it():
    for text in ("2.3.1", "2.3.1?", "(2.3.1)", "[2.3.1],"):
        assert "v2 3 1" in spellings(text), text


def test_only_between_slashes_may_the_month_stand_first():
    assert "5 december 2024" in spellings("12/05/2024")
    assert "12 may 2024" in spellings("12/05/2024")
    assert "5 december 2024" not in spellings("12.05.2024")


@pytest.mark.parametrize(
    "text",
    ["31.02.2024", "45.13.2024", "2024-13-40", "1.2.3", "10.0.0.2024", "12 Marchtown 2024", "31 February 2024"],
)
def test_what_is_no_date_is_not_respelt_as_one(text):
    assert dates.in_numbers(text) == ()
    assert dates.in_words(*(*words(text), "", "", "")[:3]) == ()


def test_a_query_of_codes_alone_is_known():
    assert parse("CVE-2017-1000251").is_of_codes
    assert parse("45.50 12.03.2024").is_of_codes
    assert all(parse(text).is_of_codes for text in ("30 November 2025", "30th of November 2025", "30.11.2025"))
    assert not parse("party on 30 November 2025").is_of_codes
    assert not parse("invoice 20417").is_of_codes
    assert not parse("find_by_id").is_of_codes
    assert not any(parse(text).is_of_codes for text in ("covid19", "windows11", "iPhone14", "9/11", "24/7", "1080p"))
    assert not parse("").is_of_codes
