"""Finds the second at which to start playing a spoken passage: when the line with the query's words is spoken. Pure."""

import json
from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence

from contracts.artifacts import Cue


def stored(cues: Sequence[Cue]) -> str | None:
    """Returns the cues as JSON ``[[code point, second], …]``; None if there are none."""
    return json.dumps([[cue.at, cue.start_s] for cue in cues]) if cues else None


def start_of(cues: Sequence[tuple[int, float]], highlights: Sequence[tuple[int, int]]) -> float | None:
    """Returns the second of the line with the most highlighted characters, the first of equals; None for no line."""
    if not cues or not highlights:
        return None
    begins = [at for at, _ in cues]
    shown: Counter[int] = Counter()
    for start, end in highlights:
        shown[max(bisect_right(begins, start) - 1, 0)] += end - start
    line = min(shown, key=lambda line: (-shown[line], line))
    return cues[line][1]
