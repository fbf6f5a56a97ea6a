"""Turns a file's texts into the words and pairs of words it keeps coming back to."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise

from analyzer.words import PlacedWord, placed_words

MOST_KEYWORDS = 8
_LONGEST = 30
_MOST_DIGITS = 3
_PHRASE_END = re.compile(r"[\n.,;:!?()\[\]{}|/\\\"“”•·。、\uff01\uff1f]+")


def keywords(texts: Iterable[str]) -> tuple[str, ...]:
    """At most eight, the most characteristic first, lower case; a pair stands for its two words."""
    singles: Counter[str] = Counter()
    pairs: Counter[tuple[str, str]] = Counter()
    for text in texts:
        for phrase in _PHRASE_END.split(text):
            words = [placed for placed in placed_words(phrase) if _is_word(placed.word)]
            singles.update(placed.word for placed in words)
            pairs.update(_neighbours(phrase, words))
    _merge_plurals(singles)
    least = 2 if sum(singles.values()) > 40 else 1
    worths: dict[str, float] = {w: n * min(len(w), 10) / 10 for w, n in singles.items() if n >= least}
    for (first, second), count in pairs.items():
        if count >= max(2, least) and count >= 0.3 * min(singles[first], singles[second]):
            worths[f"{first} {second}"] = count * 1.8
    return _without_repeats(sorted(worths, key=lambda word: (-worths[word], word)))


def _is_word(word: str) -> bool:
    """No identifiers: ``gpt-4`` is a word people use, ``f6720133b0d1`` is not."""
    return len(word) <= _LONGEST and sum(c.isdigit() for c in word) <= _MOST_DIGITS


def _neighbours(phrase: str, words: Sequence[PlacedWord]) -> list[tuple[str, str]]:
    """Pairs of different words in a row that stand in the phrase, here or elsewhere, with only a space between them."""
    beside = {(a.word, b.word) for a, b in pairwise(words) if phrase[a.end : b.start] == " "}
    return [(a.word, b.word) for a, b in pairwise(words) if a.word != b.word and (a.word, b.word) in beside]


def _merge_plurals(singles: Counter[str]) -> None:
    # What ends in two is no plural: of prince, princes and princess the last is a word of its own.
    for word in [w for w in singles if w.endswith("s") and not w.endswith("ss") and w[:-1] in singles]:
        less, more = sorted((word, word[:-1]), key=lambda w: (singles[w], w))
        singles[more] += singles.pop(less)


def _without_repeats(ranked: Iterable[str]) -> tuple[str, ...]:
    chosen: list[str] = []
    taken: set[str] = set()
    for word in ranked:
        parts = set(word.split())
        if not parts & taken:
            chosen.append(word)
            taken |= parts
        if len(chosen) == MOST_KEYWORDS:
            break
    return tuple(chosen)
