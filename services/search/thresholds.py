"""From a sample of what a large tenant's files hold of a query to the passages worth reading: no others are. Pure.

A question's common words occur in thousands of passages, which cannot be among the best when fifty files hold more of
the question. MaxScore (Turtle, Flood 1995) with the threshold taken from the sample, as one condition for the index.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import inf, log, sqrt
from typing import NamedTuple

from search.ranking import SUPPORTING_COVERAGE

SAMPLES = (4, 16, 64, 256, 1024)
"""One in so many files is in a sample; each is inside the one before (migration 0008)."""

READ_WHOLE = 400
"""Files of a tenant up to which reading every passage that holds a word is as fast."""

_LEAST_SAMPLED = 100
_LEAST_SEEN = 3
_SURE = 1.3
"""Standard deviations: nine times of ten there are as many files as a sample was taken to say."""

_MOST_LEAVES = 64
_EPSILON = 1e-9


class Seen(NamedTuple):
    """Files of a sample that hold the same words: of all their passages, of the best one, each a mask of terms.

    ``wanted`` of the ``files`` pass the filters.
    """

    mask: int
    best: int
    files: int
    wanted: int


@dataclass(frozen=True)
class Sample:
    """``seen`` in one file of ``one_in``, of ``files`` in all."""

    one_in: int
    files: int
    seen: Sequence[Seen]

    def weights(self, terms: int) -> tuple[float, ...]:
        """Each term's, the greater the fewer files hold it; what no sampled file holds may be in half a file of it."""
        sampled = self.files / self.one_in
        held = [sum(seen.files for seen in self.seen if seen.mask & 1 << i) for i in range(terms)]
        return tuple(log(1 + max(sampled, held[i]) / max(held[i], 0.5)) for i in range(terms))

    @property
    def wanted(self) -> int:
        """How many of all files may hold a word and pass the filters."""
        return self.one_in * sum(seen.wanted for seen in self.seen)


@dataclass(frozen=True)
class Weighing:
    """What each term weighs, and which ones are literal: a passage that holds one comes before all that hold none."""

    weights: Sequence[float]
    literal: int

    @cached_property
    def shares(self) -> tuple[float, ...]:
        """Each term's share of the query; of a literal one, 1 more than that."""
        total = sum(self.weights)
        return tuple(weight / total + (self.literal >> i & 1) for i, weight in enumerate(self.weights))

    def share(self, mask: int) -> float:
        """Of the terms in a mask."""
        return sum(share for i, share in enumerate(self.shares) if mask & 1 << i)


def sample_for(files: int) -> int | None:
    """The smallest sample that tells enough of so many files; None where all of them are read."""
    return max((one_in for one_in in SAMPLES if files >= _LEAST_SAMPLED * one_in and files > READ_WHOLE), default=None)


def least_share(sample: Sample, weighing: Weighing, depth: int) -> float:
    """What a passage must hold so that in all likelihood ``depth`` files have such a one."""
    needed = max(_expected_for(depth, sample.one_in) / sample.one_in, _LEAST_SEEN)
    found = 0
    for share, wanted in sorted(((weighing.share(seen.best), seen.wanted) for seen in sample.seen), reverse=True):
        found += wanted
        if found >= needed:
            return max(share, SUPPORTING_COVERAGE)
    return SUPPORTING_COVERAGE


def _expected_for(depth: int, one_in: int) -> float:
    """Of so many files to be expected at least ``depth`` are there: n files among which one in so many is sampled are
    known to within sqrt(n * (one_in - 1)).
    """
    spread = _SURE * sqrt(one_in - 1)
    return ((spread + sqrt(spread**2 + 4 * depth)) / 2) ** 2


def holding(terms: Sequence[str], weighing: Weighing, least: float) -> str:
    """The tsquery of every passage whose terms make up ``least`` or more, and of few others.

    Long queries would need too many combinations; then fewer words have to come together.
    """
    by_share = sorted(zip(weighing.shares, terms, strict=True), reverse=True)
    chosen = _condition(by_share, least - _EPSILON, together=1)
    for together in range(2, len(terms) + 1):
        finer = _condition(by_share, least - _EPSILON, together)
        if finer.leaves > _MOST_LEAVES:
            break
        chosen = finer
    return chosen.tsquery


class _Condition(NamedTuple):
    """``leaves``: terms in it; an empty ``tsquery`` holds for every passage (0 leaves) or for none (inf)."""

    tsquery: str
    leaves: float


_ALL = _Condition("", 0)
_NONE = _Condition("", inf)


def _condition(terms: Sequence[tuple[float, str]], least: float, together: int) -> _Condition:
    """Terms by descending share: either the first and the rest of what is needed, or as much without it."""
    if least <= 0 or together == 0:
        return _ALL
    if sum(share for share, _ in terms) < least:
        return _NONE
    (share, term), rest = terms[0], terms[1:]
    others = _condition(rest, least - share, together - 1)
    held = _Condition(term, 1) if others is _ALL else _Condition(f"{term} & {others.tsquery}", 1 + others.leaves)
    if others is _NONE:
        return _condition(rest, least, together)
    without = _condition(rest, least, together)
    if without is _NONE:
        return held
    return _Condition(f"({held.tsquery} | {without.tsquery})", held.leaves + without.leaves)
