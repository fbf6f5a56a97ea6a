"""Estimates from a sample the score that a passage needs to be among the best, and writes it as a tsquery. Pure.

A question's common words occur in thousands of passages, which cannot be among the best if fifty files hold more of
the question. This is MaxScore (Turtle, Flood 1995) with the threshold from a sample, as one condition for the index.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import inf, log, sqrt
from typing import NamedTuple

from search.ranking import SUPPORTING_COVERAGE

SAMPLES = (4, 16, 64, 256, 1024)
"""The samples: of one file in 4, in 16, …; each is part of the one before (migration 0008)."""

READ_WHOLE = 400
"""Number of a tenant's files up to which reading every passage that holds a word is as fast as sampling."""

_LEAST_SAMPLED = 50
"""Files that a sample must have; with as many the first ten results are those of reading everything
(docs/decisions/0028).
"""

_LEAST_SEEN = 3
"""Sampled files that must reach a threshold."""

_SURE = 1.3
"""Standard deviations: in nine cases of ten there are at least as many files as the sample says."""

_MOST_LEAVES = 64
"""Terms in the longest tsquery; each is a lookup in the index."""

_EPSILON = 1e-9


class SampleGroup(NamedTuple):
    """A group of sampled files with equal masks of terms: ``mask`` over all their passages, ``best`` of the best one.

    ``passing`` of the ``files`` pass the filters.
    """

    mask: int
    best: int
    files: int
    passing: int


@dataclass(frozen=True)
class Sample:
    """The groups of a sample of one file in ``one_in``; the tenant has ``files`` in all."""

    one_in: int
    files: int
    groups: Sequence[SampleGroup]

    def weights(self, terms: int) -> tuple[float, ...]:
        """Returns the weight of each term, greater for rarer ones; one in no sampled file counts as in half a file."""
        sampled = self.files / self.one_in
        held = [sum(group.files for group in self.groups if group.mask & 1 << i) for i in range(terms)]
        return tuple(log(1 + max(sampled, held[i]) / max(held[i], 0.5)) for i in range(terms))

    @property
    def passing(self) -> int:
        """Estimated number of files that hold a term and pass the filters."""
        return self.one_in * sum(group.passing for group in self.groups)


@dataclass(frozen=True)
class TermWeights:
    """The weight of each term, and the mask of the literal ones: passages with one come before all that have none."""

    weights: Sequence[float]
    literal: int

    @cached_property
    def shares(self) -> tuple[float, ...]:
        """Each term's share of the query's weight; 1 more for a literal term."""
        total = sum(self.weights)
        return tuple(weight / total + (self.literal >> i & 1) for i, weight in enumerate(self.weights))

    def share(self, mask: int) -> float:
        """Returns the sum of the shares of the terms in a mask."""
        return sum(share for i, share in enumerate(self.shares) if mask & 1 << i)


def sample_for(files: int) -> int | None:
    """Returns the smallest sample that is large enough for a tenant of ``files``; None if all files are read."""
    return max((one_in for one_in in SAMPLES if files >= _LEAST_SAMPLED * one_in and files > READ_WHOLE), default=None)


def least_share(sample: Sample, term_weights: TermWeights, depth: int) -> float:
    """Returns the share of the query that most probably ``depth`` files hold in one passage: the score threshold."""
    needed = max(_expected_for(depth, sample.one_in) / sample.one_in, _LEAST_SEEN)
    found = 0
    for share, passing in sorted(
        ((term_weights.share(group.best), group.passing) for group in sample.groups), reverse=True
    ):
        found += passing
        if found >= needed:
            return max(share, SUPPORTING_COVERAGE)
    return SUPPORTING_COVERAGE


def _expected_for(depth: int, one_in: int) -> float:
    """Returns the expected number of files needed so that at least ``depth`` exist in nine cases of ten: an estimate of
    n files from a sample of one in ``one_in`` has a standard deviation of sqrt(n * (one_in - 1)).
    """
    spread = _SURE * sqrt(one_in - 1)
    return ((spread + sqrt(spread**2 + 4 * depth)) / 2) ** 2


def threshold_query(terms: Sequence[str], term_weights: TermWeights, least: float) -> str:
    """Returns a tsquery that every passage matches whose terms have a share of ``least`` or more, and few others.

    A long query would need too many combinations of terms; then only smaller combinations are required.
    """
    by_share = sorted(zip(term_weights.shares, terms, strict=True), reverse=True)
    chosen = _condition(by_share, least - _EPSILON, together=1)
    for together in range(2, len(terms) + 1):
        finer = _condition(by_share, least - _EPSILON, together)
        if finer.leaves > _MOST_LEAVES:
            break
        chosen = finer
    return chosen.tsquery


class _Condition(NamedTuple):
    """``leaves``: number of terms in it. An empty ``tsquery`` matches every passage (0 leaves) or none (inf)."""

    tsquery: str
    leaves: float


_ALL = _Condition("", 0)
_NONE = _Condition("", inf)


def _condition(terms: Sequence[tuple[float, str]], least: float, together: int) -> _Condition:
    """``terms`` by descending share: either the first one and the missing share, or all of it from the others."""
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
