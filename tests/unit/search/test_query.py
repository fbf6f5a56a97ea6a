"""Reading a query: quotes, minus, codes and names; any text at all is a valid query."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search import query as queries
from search.query import MAX_TERMS, parse
from search.terms import Term


def test_plain_words_are_terms_of_their_own():
    query = parse("Frozen harbour")
    assert query.terms == (Term(("frozen",)), Term(("harbour",)))
    assert query.text == "Frozen harbour"
    assert not query.required
    assert not query.excluded


def test_emoji_are_terms_and_are_encoded_by_their_names():
    query = parse("\U0001f382 party -\U0001f436")
    assert query.terms == (Term(("zqemoji127874",)), Term(("party",)))
    assert query.excluded == (Term(("zqemoji128054",), literal=True),)
    assert query.text == "birthday cake party"
    assert parse('"\U0001f382"').terms == (Term(("zqemoji127874",)),)


def test_quotes_of_any_style_require_their_words_in_order():
    for quoted in (
        '"identity card" please',
        "「identity card」 please",
        "“identity card” please",
        "«identity card» please",
    ):
        query = parse(quoted)
        assert query.required == (Term(("identity", "card"), literal=True),)
        assert query.text == "identity card please"


def test_a_leading_minus_excludes_and_is_not_encoded():
    query = parse('jaguar -car -"big cat" e-mail')
    assert query.excluded == (Term(("car",), literal=True), Term(("big", "cat"), literal=True))
    assert query.text == "jaguar e-mail"
    assert Term(("e",)) in query.terms


def test_codes_and_file_names_are_literal():
    assert parse("invoice INV-20417").terms == (Term(("invoice",)), Term(("inv", "20417"), literal=True))
    assert parse("open report_final.pdf").terms[1] == Term(("report", "final", "pdf"), literal=True)
    assert parse("h264").terms == (Term(("h264",), literal=True),)


def test_a_code_is_also_looked_for_with_its_separator_left_out_or_put_in():
    for text, respelt in (
        ("PO-88012", (("po88012",),)),
        ("PO88012", (("po", "88012"),)),
        ("250ml", (("250", "ml"),)),
        ("utf-8", (("utf8",),)),
        ("LZ-77", (("lz77",),)),
        ("8f3a9c", ()),
        ("INV-2041-B", (("inv2041b",),)),
        ("report.pdf", (("reportpdf",),)),
        ("1,000,000", (("1000000",),)),
        ("3,14", ()),
        ("e-mail", (("email",),)),
    ):
        (term,) = parse(text).terms[:1]
        assert term.respelt == respelt, text
    (quoted,) = parse('"PO 88012"').terms
    assert quoted.respelt == ()


def test_a_number_is_one_term_however_it_is_parted():
    assert parse("3.14").terms == (Term(("3", "14"), literal=True),)
    assert parse("2 1,000").terms == (Term(("2",)), Term(("1", "000"), literal=True))


def test_other_spellings_of_a_word_do_as_well():
    assert [term.respelt for term in parse("Köln and 16 GB").terms] == [
        (("koeln",),),
        (("and16",),),
        (("and16",), ("16gb",)),
        (("16gb",),),
    ]
    assert [term.respelt for term in parse("2 months A380").terms] == [(), (), (("a", "380"),)]


def test_versions_may_begin_with_a_letter():
    assert [parse(text).terms[0].respelt for text in ("2.3.1", "v2.3.1")] == [
        (("v2", "3", "1"),),
        (("v231",), ("2", "3", "1")),
    ]


def test_a_minus_before_the_first_number_is_a_sign():
    assert parse("-5 degrees").excluded == ()
    assert parse("report -2024").excluded == (Term(("2024",), literal=True),)


def test_what_is_excluded_is_so_in_every_spelling_and_in_no_other_form():
    (code, word, start, phrase) = parse('report -PO-88012 -e-mail -harb* -"big cat"').excluded
    assert (code.words, code.respelt) == (("po", "88012"), (("po88012",),))
    assert (word.words, word.respelt) == (("e", "mail"), (("email",),))
    assert start == Term(("harb",), begins=True)
    assert phrase.respelt == ()
    assert parse("ledger -bookkeep").excluded[0].tsquery == "('bookkeep' <0> 'bookkeep')"


def test_of_many_excluded_or_quoted_words_none_is_forgotten():
    query = parse(" ".join(f'"a{n}" -b{n}' for n in range(20)))
    assert (len(query.required), len(query.excluded)) == (20, 20)


@pytest.mark.parametrize(
    ("typed", "words"),
    [("704*", ("704",)), ("70415*", ("70415",)), ("KX44*", ("kx44",)), ("ACME-20*", ("acme", "20"))],
)
def test_an_asterisk_also_stands_for_the_rest_of_a_code(typed, words):
    assert parse(typed).terms == (Term(words, begins=True),)


def test_an_amount_is_looked_for_in_whole_and_decimals():
    assert parse("$12,500.00").terms[0].respelt == (("12500", "00"),)
    assert parse("12500.00").terms[0].words == ("12500", "00")
    assert parse("1,250,000").terms[0].respelt == (("1250000",),)


def test_an_asterisk_stands_for_the_rest_of_a_word():
    (term,) = parse("harb*").terms
    assert term.begins
    assert term.tsquery == "('harb':*)"


def test_years_small_numbers_and_hyphens_are_not_codes():
    assert not any(term.literal for term in parse("2 summers of 2024 state-of-the-art").terms)


def test_unspaced_scripts_short_runs_are_phrases_long_ones_pairs():
    assert parse("東京都").terms == (Term(("東京", "京都")),)
    assert parse("猫").terms[0].tsquery == "('猫':*)"
    assert parse("契約更新").terms[0].tsquery == "(('契約' <1> '約更' <1> '更新') | ('契約' & '更新'))"
    assert parse("도서관이").terms[0].respelt == (("도서", "서관"),)
    assert all(len(term.words) == 1 for term in parse("营业收入增长").terms)


def test_japanese_words_lie_between_particles():
    assert parse("子猫の餌").terms == (Term(("子猫",)), Term(("餌",)))
    assert parse("東京都庁は新宿区にあります").terms[0] == Term(("東京", "京都", "都庁"))
    assert parse("わかめ").terms == (Term(("わか", "かめ")),)
    assert parse("らーめん").terms == (Term(("らー", "ーめ", "めん")),)


def test_control_and_direction_characters_are_gone():
    query = parse("in\x00voice\u202e \x1b[31mred")
    assert "\x00" not in query.text
    assert "\u202e" not in query.text


def test_a_word_that_folding_changes_is_kept_as_it_is_spelt():
    assert [(term.words, term.spelt) for term in parse("Новый mapa MÃO x-й").terms] == [
        (("новыи",), "новый"),
        (("mapa",), ""),
        (("mao",), "mão"),
        (("x",), ""),
        (("и",), "й"),
    ]


def test_nothing_to_look_for_is_empty():
    assert parse("!!! ???").is_empty
    assert parse('""').is_empty
    assert parse("-only").is_empty


@given(st.text())
def test_any_text_gives_terms_safe_to_quote(text):
    query = parse(text)
    assert len(query.terms) <= MAX_TERMS
    for term in (*query.terms, *query.required, *query.excluded):
        assert term.words
        assert all(re.search(r"['\\:&|!<>()\s\x00]", word) is None for word in term.words)


@pytest.mark.parametrize("text", ["\ufdfa" * 1000, "\ufdfa " * 500, "caf\u00e9-" * 200])
def test_a_word_is_judged_once_however_often_it_is_there(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The event loop stands still meanwhile: 3,000 words of one ligature took half a second."""
    judged: list[str] = []
    spell = queries.spelt_text
    monkeypatch.setattr(queries, "spelt_text", lambda written: judged.append(written) or spell(written))
    parsed = parse(text)
    assert len(judged) == len({word for term in parsed.terms for word in term.words}) < 10
