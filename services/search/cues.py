"""The lines a spoken passage is made of, and where the query's words stand in it → the second to begin at. Pure."""

import json
from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence

from contracts.artifacts import Cue


def stored(cues: Sequence[Cue]) -> str | None:
    """As JSON: ``[[code point, second], …]``; None where there are none."""
    return json.dumps([[cue.at, cue.start_s] for cue in cues]) if cues else None


def start_of(cues: Sequence[tuple[int, float]], highlights: Sequence[tuple[int, int]]) -> float | None:
    """When the line is spoken that holds the most of what is highlighted, the first of several; None for none."""
    if not cues or not highlights:
        return None
    begins = [at for at, _ in cues]
    shown: Counter[int] = Counter()
    for start, end in highlights:
        shown[max(bisect_right(begins, start) - 1, 0)] += end - start
    line = min(shown, key=lambda line: (-shown[line], line))
    return cues[line][1]
