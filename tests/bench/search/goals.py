"""Compares what was measured among 100,000 segments with the goals set for it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

SEGMENTS = 100_000

BY_MEANING: Mapping[int, Mapping[int, float]] = MappingProxyType(
    {384: {100: 0.2, 1000: 0.7, 10_000: 1.6, 50_000: 1.2}, 1536: {1000: 1.2, 10_000: 2.7, 50_000: 2.0}}
)
"""Dimensions → segments of the tenant → milliseconds of SQL at p50."""

FILTERED: Mapping[int, Mapping[int, float]] = MappingProxyType({384: {10_000: 0.6, 50_000: 1.2}, 1536: {}})
"""Where a filter keeps a tenth."""

WORDS = 1.5
HYBRID = 4.0
TIMES_AHEAD = 3.0
"""Of LanceDB and Chroma where a filter keeps a tenth."""

ENDPOINT_P95 = 10.0
BEYOND_SQL = 2.0
"""Milliseconds of the endpoint: of 19 in 20 requests, and at the median beyond its own SQL."""


@dataclass(frozen=True)
class Measured:
    """p50 in milliseconds; ``bare``: pgvector's own fastest statement on the same index, which finds passages only."""

    size: int
    plain: float
    filtered: float
    words: float
    bare: float
    bare_words: float


def of_the_endpoint(p95: float, beyond_sql: float) -> str:
    """What of the endpoint's goals is missed; empty for nothing."""
    missed = [
        f"{name} {goal:.0f}"
        for name, value, goal in (("p95", p95, ENDPOINT_P95), ("beyond SQL", beyond_sql, BEYOND_SQL))
        if value > goal
    ]
    return f"  MISSED {' and '.join(missed)}" if missed else ""


def compared(dimensions: int, measured: Sequence[Measured]) -> list[str]:
    """A line for each goal: what, measured, goal, whether met, and how many times the bare statement."""
    lines: list[str] = []
    for found in measured:
        for name, value, goal, bare in (
            ("by meaning", found.plain, BY_MEANING[dimensions].get(found.size), found.bare),
            ("filtered 10%", found.filtered, FILTERED[dimensions].get(found.size), None),
            ("words", found.words, WORDS, found.bare_words),
            ("hybrid", found.plain + found.words, HYBRID, found.bare + found.bare_words),
        ):
            if goal is not None:
                verdict = "met" if value <= goal else "MISSED"
                floor = "" if bare is None else f", {value / bare:.1f} times the bare statements' {bare:.2f}"
                lines.append(f"  {found.size:>7} {name:12} {value:7.2f} ms, goal {goal:.1f}: {verdict}{floor}")
    return lines
