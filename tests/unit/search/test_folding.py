"""Folding: accents, case and width do not matter; scripts without spaces give pairs; names give their words."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from search.folding import (
    MAX_WORD,
    fold,
    heeds_accents,
    name_order,
    spelt_text,
    text_config,
    tokens,
    words,
)


@pytest.mark.parametrize(
    ("written", "folded"),
    [
        ("Crème BRÛLÉE", "creme brulee"),
        ("Straße", "strasse"),
        ("Łódź Ærøskøbing", "lodz aeroskobing"),
        ("\ufb01nance \uff21\uff22\uff23", "finance abc"),
        ("Ёлка", "елка"),
        ("Καλημέρα", "καλημερα"),
        ("ガラス", "ガラス"),
        ("ｶﾞﾗｽ", "ガラス"),
        ("한국어", "한국어"),
        ("हिन्दी", "हिन्दी"),
        ("ไม่มี", "ไม่มี"),
        ("שָׁלוֹם", "שלום"),
        ("\ufb2a" + "לום", "שלום"),
        ("كِتَابٌ كتــاب", "كتاب كتاب"),
        ("مسؤول أحمد", "مسؤول أحمد"),
        ("extra\u00adordinary", "extraordinary"),
        ("٢٠٢٦ ۲۰۲۶ २०२६ ๒๐๒๖", "2026 2026 2026 2026"),
        ("\u06a9\u062a\u0627\u0628 \u0639\u0644\u06cc", "\u0643\u062a\u0627\u0628 \u0639\u0644\u064a"),
    ],
)
def test_accents_case_and_width_go_letters_stay(written, folded):
    assert fold(written) == folded


@given(st.text())
def test_folding_twice_changes_nothing(text):
    assert fold(fold(text)) == fold(text)


@example("\u13a0")
@given(st.text())
def test_every_token_is_what_stands_at_its_place(text):
    for token in tokens(text):
        assert 0 <= token.start < token.end <= len(text)
        assert token.word
        assert token.word in fold(text[token.start : token.end]).replace("+", "plus").replace("#", "sharp")


@given(st.text(alphabet=st.characters(codec="ascii"), max_size=60), st.text(alphabet="äé東京", max_size=3))
def test_a_word_is_the_same_whether_its_neighbours_are_ascii_or_not(text, neighbour):
    assert list(words(text)) == list(words(f"{text} {neighbour}"))[: len(words(text))]


@given(st.one_of(st.text(st.characters(codec="ascii"), max_size=60), st.text(max_size=60)))
def test_the_words_of_a_text_are_those_of_its_tokens(text):
    assert words(text) == tuple(token.word for token in tokens(text))


def test_unspaced_scripts_give_pairs():
    assert words("東京都") == ("東京", "京都")
    assert words("猫") == ("猫",)


def test_half_width_characters_keep_their_place_in_the_text():
    found = list(tokens("x ｶﾞﾗｽ"))
    assert [token.word for token in found] == ["x", "ガラ", "ラス"]
    assert {(token.start, token.end) for token in found[1:]} == {(2, 6)}


@pytest.mark.parametrize(
    ("language", "config"),
    [
        ("en", "english"),
        ("de-AT", "german"),
        ("pt_BR", "portuguese"),
        ("zh", "simple"),
        ("xx", "simple"),
        (None, "english"),
    ],
)
def test_languages_choose_the_configuration(language, config):
    assert text_config(language) == config


def test_a_word_longer_than_postgres_takes_is_cut():
    assert len(words("a" * 5000)[0]) == 200
    assert len(words("ä" * 5000)[0]) == 200


@pytest.mark.parametrize("between", ["\u00ad", "\u200b", "\u200c", "\u200d", "\u2060", "\ufeff", "\u200b\u00ad"])
def test_invisible_characters_inside_words_part_nothing_and_places_are_those_in_the_text(between):
    text = f"{between}an extra{between}ordinary{between} word"
    (found,) = [token for token in tokens(text) if token.word == "extraordinary"]
    assert text[found.start : found.end] == f"extra{between}ordinary"
    assert words(text) == ("an", "extraordinary", "word")


def test_invisible_characters_part_nothing_in_scripts_without_spaces_either():
    text = "x 東\u200b京\U000e0100都\u200b abc"
    found = list(tokens(text))
    assert [token.word for token in found] == ["x", "東京", "京都", "abc"]
    assert [text[token.start : token.end] for token in found[1:3]] == ["東\u200b京", "京\U000e0100都"]
    assert words("ภาษา\u200bไทย") == words("ภาษาไทย")
    assert words("tower\u00ad東\u00ad京") == ("tower", "東京")


def test_the_non_joiner_parts_a_word_from_its_endings_in_persian_alone():
    def joined(*parts):
        return words("\u200c".join(parts))

    assert joined("می", "خواهم") == (*words("می"), "خواهم")
    assert joined("کتاب", "ها") == (*words("کتاب"), "ها")  # noqa: RUF001 - Arabic letters are meant
    assert joined("क्", "ष") == words("क्ष")
    assert joined("Auf", "lage") == ("auflage",)


def test_words_that_folding_changes_are_spelt_once_in_lower_case():
    assert spelt_text("Informação e informação: MÃO, mao, \ufb01m 東京 ｶﾞﾗｽ") == "informação mão"
    assert spelt_text("Красивый новая квартира") == "красивый"
    assert spelt_text("I\u0307stanbul İşler \uff29\uff33") == "işler"
    assert spelt_text("infor\u00admac\u0327a\u0303o") == "informação"
    assert spelt_text("\u0301 extra\u00adordinary שָׁלוֹם كِتَابٌ") == ""
    assert spelt_text("plain ASCII") == ""
    assert spelt_text("é" * (MAX_WORD + 1)) == ""


def test_accents_count_where_words_have_other_stems_with_them():
    assert [config for config in ("russian", "turkish", "greek", "english", "simple") if heeds_accents(config)] == [
        "russian",
        "turkish",
    ]


@given(st.text())
def test_every_word_that_folding_changes_is_folded_as_it_is_indexed(text):
    assert set(words(spelt_text(text))) <= set(words(text))


def test_names_are_sorted_as_people_do():
    expected = [
        *(
            "2 b.txt",
            "10 a.txt",
            "Äpfel.txt",
            "Birnen.txt",
            "page (2).txt",
            "page 9",
            "page 010",
            "page 10",
            "page 10b",
        ),
        *("Page.pdf", "page.txt", "page2.txt", "zoë.txt"),
    ]
    for shuffled in (expected[::-1], expected[1::2] + expected[::2]):
        assert sorted(shuffled, key=name_order) == expected


@given(st.text(st.characters(categories=["Nd"]), min_size=1), st.text(st.characters(categories=["Nd"]), min_size=1))
def test_numbers_in_names_count_by_their_value(one, other):
    if (one_value := int(one)) < (other_value := int(other)):
        assert name_order(f"page {one_value}.txt") < name_order(f"page {other_value}.txt")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("C++, C# and c", ("cplusplus", "csharp", "and", "c")),
        ("c++17 or F#.", ("cplusplus", "17", "or", "fsharp")),
        ("an A+ for i++;", ("an", "aplus", "for", "iplusplus")),
        ("私はC++を", ("私は", "cplusplus", "を")),
        ("Für C#", ("fur", "csharp")),
        ("a+b Disney+ 5+ B#x AC# #c", ("a", "b", "disney", "5", "b", "x", "ac", "c")),
    ],
)
def test_a_sign_after_a_single_letter_makes_another_word(text, found):
    assert words(text) == found
    assert [token.word for token in tokens(text)] == list(found)
