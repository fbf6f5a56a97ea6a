"""Snippets: short enough, around the words, with ranges that point at them."""

from itertools import product
from string import ascii_lowercase

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.folding import SIMPLE, text_config, words
from search.query import parse
from search.snippets import Highlighter, Highlighters
from search.terms import Term
from search.trimming import MAX_SNIPPET


def shown(cut):
    return [cut.text[start:end] for start, end in cut.highlights]


def shown_for(query, text):
    return shown(Highlighter.of(parse(query).terms).snippet(text))


def test_a_short_text_is_shown_whole_with_its_words_marked_whatever_their_accents():
    cut = Highlighter({"grosse", "cafes"}).snippet("Die Größe des Cafés: groß.")
    assert cut.text == "Die Größe des Cafés: groß."
    assert shown(cut) == ["Größe", "Cafés", "groß"]


def test_signs_and_emoji_are_marked():
    assert shown_for("c++", "C, C++ and C#") == ["C++"]
    assert shown_for("csharp", "Für C, C++ und C#") == ["C#"]
    assert shown_for("c", "vitamin C, C++") == ["C", "C"]
    assert shown_for("\U0001f389 party", "A party\U0001f389 \U0001f382\U0001f389!") == ["party\U0001f389", "\U0001f389"]


def test_word_forms_are_marked_other_words_with_the_same_start_are_not():
    assert shown(Highlighter({"book"}).snippet("booking books bookkeeper")) == ["booking", "books"]
    assert shown(Highlighter({"run"}).snippet("run runs rung")) == ["run", "runs"]


@pytest.mark.parametrize(
    ("language", "query", "text", "marked"),
    [
        ("id", "baca", "Membaca buku, pembaca", ["Membaca", "pembaca"]),
        ("en", "city", "Cities and a citizen", ["Cities"]),
        ("en", "run", "running a runtime", ["running"]),
        ("en", "fly", "It flies.", ["flies"]),
        ("de", "haus", "alte Häuser", ["Häuser"]),
        ("ru", "новый дом", "в новом доме", ["новом", "доме"]),
        ("pt", "informação", "Mais informações", ["informações"]),
        ("fr", "évité", "Nous l'éviterons, vite", ["éviterons"]),
        ("ar", "مكتبة", "في المكتبة الكبيرة", ["المكتبة"]),
        ("tr", "Ada", "Ada has a boat", ["Ada"]),
        ("pl", "naprawa dachu", "naprawę dachów", ["naprawę", "dachów"]),
        ("de", "commits", "Der letzte Commit", ["Commit"]),
    ],
)
def test_forms_of_a_word_are_marked_by_the_stems_of_the_files_language_and_of_english(language, query, text, marked):
    highlighters = Highlighters(parse(query).terms)
    assert shown(highlighters.for_language(language).snippet(text)) == marked


@pytest.mark.parametrize("language", ["en", "en-GB", None])
@pytest.mark.parametrize("accent", ["", "é "])
@pytest.mark.parametrize(
    ("query", "text", "marked"),
    [
        ("station", "stat, stations", ["stations"]),
        ("letter", "let it be a letter", ["letter"]),
        ("format", "for the format", ["format"]),
        ("commit", "commands, comments, committed", ["committed"]),
        ("lesen", "les lesen", ["lesen"]),
    ],
)
def test_words_that_begin_alike_or_have_one_stem_in_another_language_are_not_marked(
    language, accent, query, text, marked
):
    highlighters = Highlighters(parse(query).terms)
    highlighters.for_language("fr")
    assert shown(highlighters.for_language(language).snippet(accent + text)) == marked


def test_numbers_in_parts_are_marked_where_they_are_one_number():
    assert shown(Highlighter.of(parse("2024").terms).snippet("On 12/20/24, late in 2024.")) == ["2024"]
    assert shown(Highlighter.of(parse("1000").terms).snippet("At 10:00 it cost 1,000.")) == ["1,000"]
    assert shown(Highlighter.of(parse("12500.00").terms).snippet("1,250,000 or 12,500.00")) == ["12,500.00"]
    assert shown(Highlighter.of(parse("ab1").terms).snippet("Flat AB-1")) == ["AB-1"]


def test_a_phrase_that_ends_with_one_character_is_marked_where_that_begins_a_pair():
    assert shown_for('"2026年12月"', "契約は2026年12月に") == ["2026年12月"]
    assert shown_for('"第3条"', "第3条の規定と第3章") == ["第3条"]


def test_every_language_that_words_are_indexed_in_has_its_stemmer():
    languages = {text_config("".join(code)) for code in product(ascii_lowercase, repeat=2)} - {SIMPLE}
    assert len(languages) > 25
    for language in languages:
        assert shown(Highlighter({"harbour"}, language=language).snippet("a harbour")) == ["harbour"]


def test_a_beginning_is_marked_with_the_whole_word():
    assert shown(Highlighter.of([Term(("photo",), begins=True)]).snippet("Photography, a photo, photos of pho")) == [
        *("Photography", "photo", "photos")
    ]


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


def test_the_window_with_most_different_words_is_shown_not_the_one_with_most_hits():
    text = "the harbour of the harbour by the harbour " * 8 + "x " * 150 + "a pilot left the harbour " + "y " * 300
    cut = Highlighter({"harbour", "pilot"}).snippet(text)
    assert shown(cut) == ["pilot", "harbour"]


def test_of_two_windows_with_the_same_words_that_where_they_are_nearer_is_shown():
    text = f"frozen {'x ' * 90} harbour {'y ' * 200} the frozen harbour {'z ' * 200} frozen {'x ' * 9} harbour"
    assert "the frozen harbour" in Highlighter({"frozen", "harbour"}).snippet(text).text


def test_the_end_of_a_text_is_shown_with_as_much_before_it_as_fits():
    cut = Highlighter({"harbour"}).snippet("word " * 200 + "harbour")
    assert MAX_SNIPPET - 10 < len(cut.text) <= MAX_SNIPPET + 2
    assert shown(cut) == ["harbour"]


COMMON = "The rest of the story of the land at the end of the world, and of the people of the north. "


@pytest.mark.parametrize("accent", ["", "é"])
def test_a_text_is_cut_around_a_quoted_phrase_and_nothing_else_is_marked(accent):
    text = accent + COMMON * 4 + "He had found the END of\nthe -- Rainbow. " + COMMON * 3
    cut = Highlighter.of(parse('"end of the rainbow"').terms).snippet(text)
    assert len(text) > 2 * MAX_SNIPPET
    assert shown(cut) == ["END of\nthe -- Rainbow"]
    assert [text[start:end] for start, end in cut.found] == shown(cut)


@pytest.mark.parametrize("accent", ["", "é "])
@pytest.mark.parametrize(
    ("query", "text", "marked"),
    [
        ('"each month"', "Monthly: each monthly sum, each months' sum, month, each; each-month.", ["each-month"]),
        ('"identity card"', "The identity of a card; card identity; an identity  cards", []),
        ('"month"', "months, monthly, month", ["month"]),
        ('"a b" "b c"', "a b c", ["a b c"]),
        ("inv-20417", "INV 20417, inv_20417, inv 204178, xinv 20417, 20417", ["INV 20417", "inv_20417"]),
        ("plan-2024.pdf", "A plan of 2024 in plan-2024.pdf", ["plan-2024.pdf"]),
        ('months "each month"', "monthly, each month", ["monthly", "each month"]),
    ],
)
def test_codes_and_quoted_phrases_are_marked_as_a_whole_or_not_at_all(accent, query, text, marked):
    assert shown_for(query, accent + text) == marked


def test_a_phrase_comes_before_words_wherever_more_of_them_stand():
    text = f"frozen harbour pilots {'x ' * 300} the identity card {'y ' * 300}"
    assert shown_for('frozen harbour pilots "identity card"', text) == ["identity card"]


def test_accents_and_case_do_not_matter_in_a_phrase():
    assert shown_for('"cafe zum hafen"', "Das Café zum Häfen; Cafés zum Hafen") == ["Café zum Häfen"]


def test_a_phrase_that_does_not_fit_is_shown_from_its_beginning():
    phrase = "harbour of ice " * 30
    cut = Highlighter((), [words(phrase)]).snippet("lead " * 100 + phrase + "tail " * 100)
    ((start, end),) = cut.highlights
    assert cut.text[start:].startswith("harbour of ice")
    assert end == len(cut.text) - 1


@pytest.mark.parametrize(
    ("query", "text", "marked"),
    [
        ("買いました", "本を買いました。それでした。まして食べました。", ["買いました"]),
        ("東京都庁", "東京都は京都でも都庁でもない", ["東京都"]),
        ("東京都", "東京、京都", []),
        ("した", "それでした。", ["した"]),
        ("東京 京都", "東京と京都", ["東京", "京都"]),
        ("北京天气预报", "今天北京的天气很好", ["北京", "天气"]),
        ("コンピューター", "コンビニのコンピュータ", ["コンピュータ"]),
        ("도서관에서는", "도서관은 에서", ["도서관"]),
        ("猫", "黒猫と猫舌", ["猫", "猫"]),
        ('"東京都庁"', "東京都と東京都庁", ["東京都庁"]),
    ],
)
def test_of_scripts_without_spaces_only_what_says_something_is_marked(query, text, marked):
    assert shown_for(query, text) == marked


def test_words_that_one_was_meant_to_be_are_marked_each():
    assert shown(Highlighter.of([Term(("camel", "case"))]).snippet("The case of a camel")) == ["case", "camel"]


def test_all_of_the_best_stretch_is_shown_where_no_space_parts_anything():
    text = "が" * 200 + "東京都庁" + "は" * 180 + "図書館" + "の" * 300
    assert shown_for("東京都庁 図書館", text) == ["東京都庁", "図書館"]


alphabet = st.sampled_from("ab東京ßé \u0660.-\u0301\U0001d518")


@given(st.text(alphabet, max_size=900), st.lists(st.text(alphabet, min_size=1, max_size=6), max_size=4))
def test_ranges_are_in_order_inside_the_text_and_never_empty(text, wanted):
    cut = Highlighter({word for phrase in wanted for word in words(phrase)}).snippet(text)
    last = 0
    for start, end in cut.highlights:
        assert last <= start < end <= len(cut.text)
        last = end
    assert len(cut.text) <= MAX_SNIPPET + 2


@given(st.text(alphabet, max_size=900), st.lists(st.text(alphabet, min_size=1, max_size=6), max_size=3))
def test_what_is_marked_of_phrases_is_those_phrases(text, wanted):
    phrases = {words(phrase) for phrase in wanted} - {()}
    cut = Highlighter((), sorted(phrases)).snippet(text)
    assert bool(cut.highlights) == bool(cut.found)
    for start, end in cut.found:
        assert any(words(text[start:end])[: len(phrase)] == phrase for phrase in phrases)


pieces = st.sampled_from(["a", "B", "c", "cc", "ccde", "Ccdes", "ccdefghi", "-", "x" * 9])


@given(st.lists(pieces, max_size=300), st.booleans())
def test_ascii_and_other_texts_are_marked_alike(pieces, phrase):
    text = " ".join(pieces)
    highlighter = Highlighter({"c", "cc", "ccde"}, [("a", "b"), ("b", "b", "a")] if phrase else ())
    plain, other = highlighter.snippet(text), highlighter.snippet(f"{text} é")
    assert plain.found == other.found


def test_a_word_longer_than_a_snippet_is_marked_as_far_as_it_is_shown():
    text = "é" * 500 + " été"
    shown = Highlighter(["e" * 200]).snippet(text)
    assert len(shown.text) <= 302
    assert all(0 <= start < end <= len(shown.text) for start, end in shown.highlights)
    assert shown.highlights
