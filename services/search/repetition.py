"""Tells whether a snippet repeats a better one of the same file: passages overlap. Pure."""

import re
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from search.trimming import ELLIPSIS, Range

_END_OF_SENTENCE = re.compile(r"[.!?]+\s+|[。！？…\n]+\s*")  # noqa: RUF001
_LEAST_SHARED = 30
"""Shared characters from which on two snippets are taken to show the same sentence."""

_BESIDE = 8
"""Characters before or after a highlight that are compared in the quick test."""

_SHORT_SNIPPET = 150
"""Characters up to which a snippet without highlights repeats another only if all of it occurs there."""


class _Around(NamedTuple):
    """What a snippet shows of a highlight's sentence, before and after the highlight."""

    before: str
    after: str


@dataclass(frozen=True)
class Shown:
    """A snippet and its highlights; what is derived from them is computed on demand, once."""

    text: str
    highlights: Sequence[Range]

    @cached_property
    def words(self) -> frozenset[str]:
        """The highlighted words, in lower case."""
        return frozenset([self.text[start:end].lower() for start, end in self.highlights])

    @cached_property
    def around(self) -> Mapping[str, list[_Around]]:
        """Highlighted text → the sentence around each of its occurrences."""
        text = self.text
        parted = [end.span() for end in _END_OF_SENTENCE.finditer(text)]
        begins, ends = [0, *(begin for _, begin in parted)], [*(end for end, _ in parted), len(text)]
        found: defaultdict[str, list[_Around]] = defaultdict(list)
        for start, end in self.highlights:
            before = text[begins[bisect_right(begins, start) - 1] : start]
            found[text[start:end]].append(_Around(before, text[end : ends[bisect_left(ends, end)]]))
        return found


def repeats(shown: Shown, better: Shown) -> bool:
    """True if ``better`` highlights all of the same words and most of them in the same sentences; for a snippet without
    highlights, if half of it occurs in ``better``.
    """
    if not shown.highlights:
        text = shown.text.strip(ELLIPSIS)
        outer = len(text) // 4 if len(text) > _SHORT_SNIPPET else 0
        return text[outer : len(text) - outer] in better.text
    if not shown.words <= better.words or not _is_most(shown, _seem_said(shown, better)):
        return False
    return _is_most(
        shown,
        sum(
            len(words)
            for words, places in shown.around.items()
            for place in places
            if any(_is_same(words, place, other) for other in better.around.get(words, ()))
        ),
    )


def _is_most(shown: Shown, characters: int) -> bool:
    return 2 * characters > sum([end - start for start, end in shown.highlights])


def _seem_said(shown: Shown, better: Shown) -> int:
    """Returns an upper bound of the highlighted characters that stand in the same sentence of ``better``; cheap."""
    text, other = shown.text, better.text
    return sum(
        [
            end - start
            for start, end in shown.highlights
            if text[start : end + _BESIDE] in other or text[max(start - _BESIDE, 0) : end] in other
        ]
    )


def _is_same(words: str, one: _Around, other: _Around) -> bool:
    """True if two snippets show one sentence: laid over each other they agree, over more than a few words."""
    if one == other:
        return True
    before, more = sorted((one.before, other.before), key=len)
    after, longer = sorted((one.after, other.after), key=len)
    common = len(before) + len(words) + len(after)
    whole = len(one.before) + len(words) + len(one.after)
    return more.endswith(before) and longer.startswith(after) and common >= min(_LEAST_SHARED, whole)
