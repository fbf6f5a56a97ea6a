"""Folding: accents, case and width do not matter; scripts without spaces give pairs; names give their words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.folding import fold, index_text, name_text, text_config, tokens, words


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
    ],
)
def test_accents_case_and_width_go_letters_stay(written, folded):
    assert fold(written) == folded


@given(st.text())
def test_folding_twice_changes_nothing(text):
    assert fold(fold(text)) == fold(text)


@given(st.text())
def test_every_token_is_what_stands_at_its_place(text):
    for token in tokens(text):
        assert 0 <= token.start < token.end <= len(text)
        assert token.word
        assert token.word in fold(text[token.start : token.end])


@given(st.text(alphabet=st.characters(codec="ascii"), max_size=60), st.text(alphabet="äé東京", max_size=3))
def test_a_word_is_the_same_whether_its_neighbours_are_ascii_or_not(text, neighbour):
    assert list(words(text)) == list(words(f"{text} {neighbour}"))[: len(words(text))]


@given(st.one_of(st.text(st.characters(codec="ascii"), max_size=60), st.text(max_size=60)))
def test_the_words_of_a_text_are_those_of_its_tokens(text):
    assert words(text) == tuple(token.word for token in tokens(text))


def test_unspaced_scripts_are_indexed_by_pairs_and_their_last_character():
    assert words("東京都") == ("東京", "京都")
    assert index_text("東京都 tower") == "東京 京都 都 tower"
    assert index_text("東京tower") == "東京 京 tower"
    assert words("猫") == ("猫",)


def test_half_width_characters_keep_their_place_in_the_text():
    found = list(tokens("x ｶﾞﾗｽ"))
    assert [token.word for token in found] == ["x", "ガラ", "ラス"]
    assert {(token.start, token.end) for token in found[1:]} == {(2, 6)}


@pytest.mark.parametrize(
    ("filename", "found"),
    [
        ("DeepSeek_R1.pdf", {"deepseek", "r1", "deep", "seek", "pdf"}),
        ("holiday-photo2019.JPG", {"holiday", "photo2019", "photo", "2019", "jpg"}),
        ("HTTPServerNotes.md", {"httpservernotes", "http", "server", "notes"}),
        ("Überweisung_März.pdf", {"uberweisung", "marz", "pdf"}),
        ("旅行.png", {"旅行", "行", "png"}),
    ],
)
def test_file_names_give_their_words_as_spelt_and_parted(filename, found):
    assert found <= set(name_text(filename).split())


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
