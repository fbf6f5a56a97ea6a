"""Trims a passage to the part that a snippet shows: where most of the query's words and phrases stand."""

from collections.abc import Iterable, Mapping, Sequence

from search.word_forms import Mark

MAX_SNIPPET = 300
_LEAD = 60
_ROOM = MAX_SNIPPET - _LEAD

ELLIPSIS = "…"

Range = tuple[int, int]
"""(start, end) in code points of a text, end exclusive."""


def trimmed(text: str, marks: Sequence[Mark], worth: Mapping[str, int]) -> tuple[str, list[Range]]:
    """Returns about ``MAX_SNIPPET`` characters at most, around the best ``marks`` in ``text``, and the marks in them.

    ``worth``: the value of words and phrases, 1 for those that are not named.
    """
    if len(text) <= MAX_SNIPPET:
        return text, merged([mark[:2] for mark in marks])
    start, end = _cut(text, _best(marks, worth))
    lead, tail = (ELLIPSIS if start else ""), (ELLIPSIS if end < len(text) else "")
    return f"{lead}{text[start:end]}{tail}", _inside(marks, start, end, len(lead) - start)


def merged(ranges: Sequence[Range]) -> list[Range]:
    """Merges ranges that touch or overlap."""
    apart: list[Range] = []
    reach = -1
    for start, end in ranges:
        if start > reach:
            apart.append((start, end))
            reach = end
        elif end > reach:
            apart[-1] = (apart[-1][0], end)
            reach = end
    return apart


def _best(marks: Sequence[Mark], worth: Mapping[str, int]) -> Range:
    """Returns the range with the highest value, each word or phrase counted once; of equals the shortest."""
    if not marks:
        return 0, 0
    begin, last, leaving = marks[0]
    if marks[-1][1] - begin <= _ROOM:
        return begin, marks[-1][1]
    best, most, shortest = (begin, last), 0, 0
    held: dict[str, int] = {}
    first = 0
    for start, end, found in marks:
        held[found] = held.get(found, 0) + 1
        while held[leaving] > 1 or (end - begin > _ROOM and begin < start):
            held[leaving] -= 1
            if not held[leaving]:
                del held[leaving]
            first += 1
            begin, _, leaving = marks[first]
        holding = sum([worth.get(one, 1) for one in held]) if worth else len(held)
        if holding > most or (holding == most and end - begin < shortest):
            best, most, shortest = (begin, end), holding, end - begin
    return best


def _cut(text: str, best: Range) -> Range:
    """Returns the range to show of a text that is too long: all of ``best`` if there is room, cut at spaces."""
    start = max(0, min(best[0] - _LEAD, len(text) - MAX_SNIPPET))
    if start:
        start = text.find(" ", start, start + _LEAD) + 1 or start
    end = start + MAX_SNIPPET
    if end >= len(text):
        return start, len(text)
    return start, max(text.rfind(" ", start, end + 1), start + MAX_SNIPPET // 2, min(best[1], end))


def _inside(marks: Iterable[Mark], start: int, end: int, shift: int) -> list[Range]:
    """Returns the ranges of ``marks`` between ``start`` and ``end``, moved by ``shift``."""
    return merged([(max(a, start) + shift, min(b, end) + shift) for a, b, _ in marks if a < end and b > start])
