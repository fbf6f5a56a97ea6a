"""Turns a file's texts into the two to four of its own sentences that say most about it, in their order.

A sentence counts by how often its words occur in the whole file, a little by its place, and not for words already said.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from analyzer import facts
from analyzer.words import content_words, sentences
from contracts.artifacts import Material

READ_CHARACTERS = 1_000_000
"""Looked at for summary and keywords, spread over the whole file: a second or two of work."""

MOST_SENTENCES = 4
_QUOTE = 160
_SHORTEST, _LONGEST = 30, 320
_LETTERS = 0.6
_CAPITALS = 0.6
_NEWS = 0.3
_FEW_WORDS = 5
_OPENING = "\"'(“„«「"
_LONGEST_SUMMARY = 900
_ENDS = re.compile(r"[.!?…。\uff01\uff1f][\"'”\u2019)\]]*$")
_WIDE = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]")


@dataclass(frozen=True)
class _Candidate:
    place: int
    text: str
    words: frozenset[str]


def summarize(texts: Iterable[str]) -> tuple[str, ...]:
    """At most four sentences in the order of the file; none where nothing reads like a sentence."""
    everything = [sentence for text in texts for sentence in sentences(text)]
    counts = Counter(word for sentence in everything for word in content_words(sentence))
    candidates = [
        _Candidate(place, sentence, frozenset(content_words(sentence)))
        for place, sentence in enumerate(everything)
        if reads_like_a_sentence(sentence)
    ]
    chosen = _choose(candidates, counts, len(everything))
    return tuple(c.text for c in sorted(chosen, key=lambda c: c.place))


def retold(
    material: Material, texts: Sequence[str], colours: Sequence[str] = (), concepts: Sequence[str] = ()
) -> Sequence[str]:
    """Two to four sentences about a file: its own where its texts have them, else what its facts tell."""
    chosen = summarize(texts)
    if len(chosen) >= 2:
        return chosen
    said = [facts.describe(material), *chosen]
    if concepts:
        said.append(f"It shows {', '.join(concepts)}.")
    if not chosen:
        said += _quoted(texts)
    if colours:
        said.append(f"Mostly {', '.join(colours)}.")
    own = facts.metadata_text(material)
    if len(said) < 2 and own:
        said.append(own.replace("\n", "; ") + ".")
    if len(said) < 2:
        said.append(f"Its name is {material.filename}.")
    return said[:MOST_SENTENCES]


def reads_like_a_sentence(text: str) -> bool:
    """Not a heading, a list item, a table row, a list of names or numbers, or half a page without an end."""
    words = text.split()
    if text[0].islower() or not (text[0].isalnum() or text[0] in _OPENING):
        return False
    if len(words) > _FEW_WORDS and sum(word[0].isupper() for word in words) > _CAPITALS * len(words):
        return False
    width = len(text) + len(_WIDE.findall(text))
    letters = sum(c.isalpha() or c.isspace() for c in text)
    return _SHORTEST <= width <= _LONGEST and letters >= _LETTERS * len(text) and _ENDS.search(text) is not None


def _choose(candidates: Sequence[_Candidate], counts: Counter[str], total: int) -> list[_Candidate]:
    chosen: list[_Candidate] = []
    said: set[str] = set()
    room = _LONGEST_SUMMARY
    left = [c for c in candidates if c.words]
    while left and len(chosen) < MOST_SENTENCES:
        best = max(left, key=lambda c: _worth(c, counts, said) * _bonus_of_place(c.place, total))
        chosen.append(best)
        said |= best.words
        room -= len(best.text)
        left = [c for c in left if len(c.text) <= room and len(c.words - said) > _NEWS * len(c.words)]
    return chosen


def _worth(candidate: _Candidate, counts: Counter[str], said: set[str]) -> float:
    fresh = sum(math.log1p(counts[word]) for word in candidate.words - said)
    return fresh / math.sqrt(len(candidate.words) + 4)


def _bonus_of_place(place: int, total: int) -> float:
    # Introductions say what a text is about, last paragraphs what came of it.
    share = place / max(total - 1, 1)
    return 1 + 0.5 * math.exp(-place / 8) + 0.3 * (share < 0.08) + 0.1 * (share > 0.95)


def _quoted(texts: Sequence[str]) -> list[str]:
    words = " ".join(" ".join(texts).split())
    if not any(c.isalnum() for c in words):
        return []
    if len(words) > _QUOTE:
        words = words[:_QUOTE].rsplit(" ", 1)[0] + " …"
    return [f"It says: “{words}”"]
