"""Cuts the part of a passage worth showing and says which stretches of it are the query's words."""

import re
from collections.abc import Collection, Sequence
from typing import NamedTuple

from search.folding import MAX_WORD, is_unspaced, tokens, written_words

MAX_SNIPPET = 300
_LEAD = 60
_MIN_STEM = 4
_MAX_ENDING = 3
_ELLIPSIS = "…"

_SPACED = bytes(code if chr(code).isalnum() else ord(" ") for code in range(128)).ljust(256)

Range = tuple[int, int]


class Snippet(NamedTuple):
    """``highlights`` are (start, end) in Unicode code points of ``text``, end exclusive, in order.

    ``found`` are the same in the whole passage.
    """

    text: str
    highlights: list[Range]
    found: list[Range]


class Highlighter:
    """Of one query: looks at each form of a word once, however many passages it occurs in."""

    def __init__(self, wanted: Collection[str]) -> None:
        """``wanted``: folded words."""
        sought = _Wanted(wanted)
        beginnings = "|".join(start for start in sought.beginnings if start.isascii())
        self._after_a_space = re.compile(f" (?:{beginnings})[a-z0-9]*" if beginnings else "(?!)")
        self._plain_forms = _PlainForms(sought)
        self._marks = _Marks(sought)

    def snippet(self, text: str) -> Snippet:
        """At most about ``MAX_SNIPPET`` characters around the most of the wanted words."""
        found = self._found_plain(text) if text.isascii() else self._found(text)
        if len(text) <= MAX_SNIPPET:
            return Snippet(text, found, found)
        start = _best_start(found)
        start = 0 if start == 0 else _after_space(text, start)
        end = min(len(text), start + MAX_SNIPPET)
        if end < len(text):
            end = max(text.rfind(" ", start, end), start + MAX_SNIPPET // 2)
        lead, tail = (_ELLIPSIS if start else ""), (_ELLIPSIS if end < len(text) else "")
        return Snippet(lead + text[start:end] + tail, _inside(found, start, end, len(lead) - start), found)

    def _found_plain(self, text: str) -> list[Range]:
        # A space before each word: the pattern looks at little else, which is three times as fast.
        spaced = " " + text.lower().encode().translate(_SPACED).decode()
        forms = self._plain_forms
        return [(word.start(), word.end() - 1) for word in self._after_a_space.finditer(spaced) if forms[word[0]]]

    def _found(self, text: str) -> list[Range]:
        found: list[Range] = []
        for word in written_words(text):
            found += ((word.start() + start, word.start() + end) for start, end in self._marks[word[0]])
        return _merged(found)


class _PlainForms(dict[str, bool]):
    """An ASCII word after a space → whether it is wanted; found out at the first time."""

    def __init__(self, wanted: "_Wanted") -> None:
        super().__init__()
        self._wanted = wanted

    def __missing__(self, written: str) -> bool:
        self[written] = written[1 : MAX_WORD + 1] in self._wanted
        return self[written]


class _Marks(dict[str, tuple[Range, ...]]):
    """A word as it is written → what of it is wanted; found out at the first time."""

    def __init__(self, wanted: "_Wanted") -> None:
        super().__init__()
        self._wanted = wanted

    def __missing__(self, written: str) -> tuple[Range, ...]:
        self[written] = tuple((token.start, token.end) for token in tokens(written) if token.word in self._wanted)
        return self[written]


class _Wanted:
    """Which words to highlight: the query's own, and those that share their beginning."""

    def __init__(self, wanted: Collection[str]) -> None:
        self._words = frozenset(wanted)
        self._by_beginning: dict[str, list[str]] = {}
        for word in self._words:
            if len(word) >= _MIN_STEM and word.isalpha() and not is_unspaced(word):
                self._by_beginning.setdefault(word[:_MIN_STEM], []).append(word)

    @property
    def beginnings(self) -> Collection[str]:
        """What every wanted word begins with: letters and digits."""
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
    most = first = following = 0
    count = len(found)
    for place, (start, _) in enumerate(found):
        end = start + MAX_SNIPPET - _LEAD
        while following < count and found[following][0] < end:
            following += 1
        if following - place > most:
            most, first = following - place, start
        if following == count:
            break  # from here on there are only fewer
    return max(0, first - _LEAD)


def _inside(found: Sequence[Range], start: int, end: int, shift: int) -> list[Range]:
    """What of ``found`` lies between ``start`` and ``end``, moved by ``shift``."""
    inside = [(a + shift, b + shift) for a, b in found if a < end and b > start]
    if inside and (inside[0][0] < start + shift or inside[-1][1] > end + shift):
        inside = [(max(a, start + shift), min(b, end + shift)) for a, b in inside]
    return inside


def _after_space(text: str, start: int) -> int:
    space = text.find(" ", start, start + _LEAD)
    return space + 1 if space >= 0 else start
