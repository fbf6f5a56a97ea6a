"""Turns loudness over time into the stretches of a recording that are not silent, each short enough for one utterance.

What is silent follows from the recording itself: a whisper in a quiet room is sound, traffic behind a voice is not.
"""

from collections.abc import Iterator, Sequence

STEP_S = 0.1
"""The length of time one level stands for."""

LONGEST_S = 30.0
INAUDIBLE_DB = -90.0
_SILENT_DB, _EVEN_DB, _RANGE_DB, _ABOVE_FLOOR_DB, _BELOW_LOUD_DB = -65.0, 10.0, 40.0, 6.0, 15.0
_JOINED_BELOW, _SHORTEST, _PADDING = 7, 2, 2  # steps


def find_stretches(levels: Sequence[float]) -> list[tuple[float, float]]:
    """(start, end) in seconds, in order; ``levels`` are decibels below full scale, one per 0.1 s."""
    silence = silent_below(levels)
    found: list[tuple[float, float]] = []
    for start, end in _joined(_runs(levels, silence)):
        if end - start >= _SHORTEST:
            padded = max(start - _PADDING, 0), min(end + _PADDING, len(levels))
            found += [(a * STEP_S, b * STEP_S) for a, b in _cut(levels, *padded)]
    return [(round(a, 3), round(b, 3)) for a, b in found]


def silent_below(levels: Sequence[float]) -> float:
    """The level under which this recording is silent; 0 dB (everything) for one that is silent throughout."""
    in_order = sorted(levels)
    if not in_order:
        return 0.0
    floor, loud = in_order[len(in_order) // 10], in_order[min(len(in_order) * 98 // 100, len(in_order) - 1)]
    peak = in_order[-1]
    if peak < _SILENT_DB:
        return 0.0
    if loud - floor < _EVEN_DB and peak - floor > 2 * _EVEN_DB:
        return floor + _EVEN_DB  # a few words in an hour of even noise
    # Speech without a pause has no floor: what is taken for one must lie well below what is loud.
    return max(min(floor + _ABOVE_FLOOR_DB, loud - _BELOW_LOUD_DB), loud - _RANGE_DB)


def _runs(levels: Sequence[float], silence: float) -> Iterator[tuple[int, int]]:
    start: int | None = None
    for index, level in enumerate([*levels, INAUDIBLE_DB - 1]):
        if level > silence:
            start = index if start is None else start
        elif start is not None:
            yield start, index
            start = None


def _joined(runs: Iterator[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    held: tuple[int, int] | None = None
    for start, end in runs:
        if held and start - held[1] < _JOINED_BELOW:
            held = held[0], end
            continue
        if held:
            yield held
        held = start, end
    if held:
        yield held


def _cut(levels: Sequence[float], start: int, end: int) -> Iterator[tuple[int, int]]:
    """Pieces of at most 30 s, cut at the quietest moment of the second half of each."""
    longest = int(LONGEST_S / STEP_S)
    while end - start > longest:
        at = min(range(start + longest // 2, start + longest), key=levels.__getitem__)
        yield start, at
        start = at
    yield start, end
