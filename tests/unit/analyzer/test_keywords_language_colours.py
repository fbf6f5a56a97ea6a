"""Keywords are what a text keeps coming back to; language is hedged; colours have everyday names."""

import pytest
from PIL import Image

from analyzer.backends.local.colours import colour_name, dominant_colours
from analyzer.backends.local.keywords import MOST_KEYWORDS, keywords
from analyzer.backends.local.language import LanguageGuesser


def test_pairs_that_belong_together_stand_for_their_words() -> None:
    text = (
        "Reinforcement learning rewards the agent. With reinforcement learning an agent learns. Reinforcement learning!"
    )
    found = keywords([text])
    assert found[0] == "reinforcement learning"
    assert "learning" not in found
    assert "agent" in found


def test_a_pair_stands_in_the_text_as_two_words() -> None:
    assert "cat dog" not in keywords(["concat dogma cat or dog cat or dog"])
    assert "eiffel tower" in keywords(["the Eiffel tower, an eiffel Tower"])
    assert "検索 研究" in keywords(["検索 研究, 検索 研究"])


def test_identifiers_and_function_words_are_no_keywords() -> None:
    text = "the and 4563 f6720133b0d1 6edf42e4-f72c-4d5f-a440-4733661400c3 gpt-4 invoice"
    assert set(keywords([text])) == {"gpt-4", "invoice"}


def test_singular_and_plural_are_one() -> None:
    assert keywords(["agents talk", "agents act", "one agent"])[0] == "agents"


@pytest.mark.parametrize("text", ["princes, prince, princess", "princess, princes, prince"])
def test_what_ends_in_two_s_is_no_plural(text: str) -> None:
    assert keywords([text]) == ("princes", "princess")


def test_there_are_few_and_the_order_is_stable() -> None:
    words = [f"word{chr(97 + i)}" for i in range(26)]
    assert keywords(words) == keywords(reversed(words))
    assert len(keywords(words)) == MOST_KEYWORDS
    assert keywords([]) == ()


@pytest.fixture(scope="module")
def languages() -> LanguageGuesser:
    return LanguageGuesser()


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("This is an English sentence about cats and dogs.", "en"),
        ("Der schnelle braune Fuchs springt über den faulen Hund.", "de"),
        ("吾輩は猫である。名前はまだ無い。どこで生れたか", "ja"),
        ("Wake up human!", None),
        ("12 USD 334-33 PAT REF SKU AUDIO INV QTY TOTAL", None),
        ("", None),
    ],
)
def test_language_is_told_or_left_open(languages: LanguageGuesser, text: str, code: str | None) -> None:
    assert languages.guess(text) == code


def test_the_end_of_a_long_text_counts_for_its_language(languages: LanguageGuesser) -> None:
    german = "Der schnelle braune Fuchs springt über den faulen Hund, und alle sehen ihm dabei zu. " * 400
    assert languages.guess("LOREM " * 20 + german) == "de"


@pytest.mark.parametrize(
    ("rgb", "name"),
    [
        ((255, 0, 0), "red"),
        ((250, 5, 20), "red"),
        ((0, 160, 0), "green"),
        ((20, 40, 220), "blue"),
        ((255, 255, 255), "white"),
        ((128, 128, 128), "grey"),
        ((5, 5, 5), "black"),
        ((120, 70, 20), "brown"),
        ((255, 140, 0), "orange"),
        ((250, 230, 20), "yellow"),
        ((255, 105, 180), "pink"),
    ],
)
def test_colours_have_everyday_names(rgb: tuple[int, int, int], name: str) -> None:
    assert colour_name(*rgb) == name


def test_only_widespread_colours_count_the_widest_first() -> None:
    image = Image.new("RGB", (100, 100), "white")
    image.paste((20, 40, 220), (0, 0, 100, 30))
    image.paste((255, 0, 0), (0, 95, 100, 100))
    assert dominant_colours(image) == ("white", "blue")
