"""Snippets: short enough, around the words, with ranges that point at them."""

from hypothesis import given
from hypothesis import strategies as st

from search.folding import words
from search.snippets import MAX_SNIPPET, Highlighter


def shown(cut):
    return [cut.text[start:end] for start, end in cut.highlights]


def test_a_short_text_is_shown_whole_with_its_words_marked_whatever_their_accents():
    cut = Highlighter({"grosse", "cafes"}).snippet("Die Größe des Cafés: groß.")
    assert cut.text == "Die Größe des Cafés: groß."
    assert shown(cut) == ["Größe", "Cafés", "groß"]


def test_word_forms_are_marked_other_words_with_the_same_start_are_not():
    assert shown(Highlighter({"book"}).snippet("booking books bookkeeper")) == ["booking", "books"]
    assert shown(Highlighter({"run"}).snippet("run runs rung")) == ["run"]


def test_unspaced_scripts_are_marked_as_one_stretch():
    assert shown(Highlighter(set(words("東京都庁"))).snippet("昨日は東京都庁へ行った")) == ["東京都庁"]


def test_a_long_text_is_cut_around_most_of_the_words():
    text = "lead " * 200 + "frozen harbour in january " + "tail " * 200
    cut = Highlighter({"frozen", "harbour", "january", "lead2"}).snippet(text)
    assert len(cut.text) <= MAX_SNIPPET + 2
    assert cut.text.startswith("…lead")
    assert cut.text.endswith("tail…")
    assert shown(cut) == ["frozen", "harbour", "january"]


def test_a_word_longer_than_what_is_shown_is_marked_as_far_as_it_is_shown():
    word = "harbour" + "r" * 400
    cut = Highlighter(words(word)).snippet(f"{'x' * 50} {word}")
    assert len(cut.text) <= MAX_SNIPPET + 2
    assert cut.highlights[-1][1] == len(cut.text) - 1
    assert cut.found == [(51, 458)]


def test_without_words_the_beginning_is_shown():
    cut = Highlighter(set()).snippet("word " * 200)
    assert cut.text.startswith("word word")
    assert cut.text.endswith("word…")
    assert cut.highlights == []


alphabet = st.sampled_from("ab東京ßé \u0660.-\u0301\U0001d518")


@given(st.text(alphabet, max_size=900), st.lists(st.text(alphabet, min_size=1, max_size=6), max_size=4))
def test_ranges_are_in_order_inside_the_text_and_never_empty(text, wanted):
    cut = Highlighter({word for phrase in wanted for word in words(phrase)}).snippet(text)
    last = 0
    for start, end in cut.highlights:
        assert last <= start < end <= len(cut.text)
        last = end
    assert len(cut.text) <= MAX_SNIPPET + 2
