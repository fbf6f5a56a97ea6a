"""Cuts the part of a passage worth showing and says which stretches of it are the query's words."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from search.folding import is_unspaced, tokens_beginning

MAX_SNIPPET = 300
_LEAD = 60
_MIN_STEM = 4
_MAX_ENDING = 3
_ELLIPSIS = "…"

Range = tuple[int, int]


@dataclass(frozen=True)
class Snippet:
    """``highlights`` are (start, end) in Unicode code points of ``text``, end exclusive, in order."""

    text: str
    highlights: tuple[Range, ...]


def snippet(text: str, wanted: Collection[str]) -> Snippet:
    """At most about ``MAX_SNIPPET`` characters around the most of the wanted (folded) words."""
    sought = _Wanted(wanted)
    found = _merged([(t.start, t.end) for t in tokens_beginning(text, sought.beginnings) if t.word in sought])
    if len(text) <= MAX_SNIPPET:
        return Snippet(text, tuple(found))
    start = _best_start(found)
    start = 0 if start == 0 else _after_space(text, start)
    end = min(len(text), start + MAX_SNIPPET)
    if end < len(text):
        end = max(text.rfind(" ", start, end), start + MAX_SNIPPET // 2)
    lead, tail = (_ELLIPSIS if start else ""), (_ELLIPSIS if end < len(text) else "")
    shift = len(lead) - start
    inside = [(max(a, start) + shift, min(b, end) + shift) for a, b in found if a < end and b > start]
    return Snippet(lead + text[start:end] + tail, tuple(inside))


class _Wanted:
    """Which words to highlight: the query's own, and those that share their beginning."""

    def __init__(self, words: Collection[str]) -> None:
        self._words = frozenset(words)
        self._by_beginning: dict[str, list[str]] = {}
        for word in self._words:
            if len(word) >= _MIN_STEM and word.isalpha() and not is_unspaced(word):
                self._by_beginning.setdefault(word[:_MIN_STEM], []).append(word)

    @property
    def beginnings(self) -> Collection[str]:
        """What every wanted word begins with."""
        return {word[:_MIN_STEM] for word in self._words}

    def __contains__(self, word: str) -> bool:
        if word in self._words:
            return True
        return any(_same_stem(word, other) for other in self._by_beginning.get(word[:_MIN_STEM], ()))


def _same_stem(word: str, other: str) -> bool:
    # Stemming happens inside Postgres; for colours on a page a shared beginning is near enough.
    shorter, longer = sorted((word, other), key=len)
    shared = max(_MIN_STEM, len(shorter) - 2)
    return len(longer) - len(shorter) <= _MAX_ENDING and word[:shared] == other[:shared] and word.isalpha()


def _merged(ranges: Sequence[Range]) -> list[Range]:
    merged: list[Range] = []
    for start, end in ranges:
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _best_start(found: Sequence[Range]) -> int:
    if not found:
        return 0
    reach = MAX_SNIPPET - _LEAD
    _, first = max((sum(a <= b < a + reach for b, _ in found), -a) for a, _ in found)
    return max(0, -first - _LEAD)


def _after_space(text: str, start: int) -> int:
    space = text.find(" ", start, start + _LEAD)
    return space + 1 if space >= 0 else start
