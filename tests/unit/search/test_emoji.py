"""Emoji: a word each, found again in whatever form they are written, and named for the encoder."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.emoji import emoji_of, emoji_words, with_names
from search.folding import words


def test_each_is_a_word_once():
    assert emoji_words("Party \U0001f389\U0001f389 with \U0001f382!") == ["zqemoji127881", "zqemoji127874"]
    assert emoji_words("Crème brûlée: plain text, 1 + 1 = 2 ©") == []


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("\U0001f382", "birthday cake"),
        ("my \U0001f436", "my dog face"),
        ("\u2764\ufe0f", "heavy black heart"),
        ("\U0001f44d\U0001f3fd", "thumbs up sign"),
        ("\U0001f469\u200d\U0001f4bb", "woman  personal computer"),
        ("no emoji", "no emoji"),
    ],
)
def test_they_are_spoken_by_their_names(text, spoken):
    assert with_names(text).split() == spoken.split()


@given(st.text())
def test_words_of_emoji_are_theirs_alone(text):
    assert set(map(emoji_of, emoji_words(text))) <= set(text)
    assert all(words(word) == (word,) for word in emoji_words(text))
    assert not any(map(emoji_of, words(text)))
