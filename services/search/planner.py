"""From the number of vectors left after tenant and filters to the fastest way that still finds the nearest. Pure.

EXACT reads every vector, CODES every vector's signs and then the vectors of the best, GRAPH walks an HNSW index and
adds the codes of what is not in it yet. A tenant's vectors enter a graph when there are enough of them.
"""

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class Way(StrEnum):
    """How the nearest vectors are found."""

    EXACT = "exact"
    CODES = "codes"
    GRAPH = "graph"


@dataclass(frozen=True)
class Crossovers:
    """Numbers of vectors. With more than ``graph_from`` a tenant's enter the graph. A walk through it is the fastest
    way where its worth (:meth:`Counts.worth_of_a_walk`) is more than ``walk_from``; elsewhere reading all that are
    left exactly is up to ``exact_up_to``.
    """

    graph_from: int
    walk_from: int
    exact_up_to: int


CROSSOVERS: Mapping[int, Crossovers] = MappingProxyType(
    {
        384: Crossovers(graph_from=4900, walk_from=2400, exact_up_to=6000),
        1536: Crossovers(graph_from=4900, walk_from=2400, exact_up_to=1700),
    }
)
"""Dimensions → crossovers, as ``python -m tests.bench.search crossovers`` measured them (docs/search-index.md).

``exact_up_to`` of 384 is a choice: four runs said 3,500, 4,900 twice and 15,500. Where so many are left filters held
others out, and codes are asked in a statement of their own.
"""

_ANY = 2**31 - 1
_CATCHING_UP = 4
_AT_LEAST_AT_ONCE = 64


@dataclass(frozen=True)
class Counts:
    """What a user has of one model. ``of_graph``: their share of the graph they are in, which they may have alone;
    ``graph`` is its number.
    """

    passages: int
    in_graph: int
    files: int
    of_graph: float = 1.0
    graph: int = 0

    @property
    def fresh(self) -> int:
        """Vectors outside the graph."""
        return self.passages - self.in_graph

    def worth_of_a_walk(self, share: float) -> float:
        """What is to be compared with ``walk_from`` when a ``share`` of these vectors is wanted.

        A walk meets a wanted vector every 1/share steps, whether filters hold the others out or they are somebody
        else's; so it is worth its price for ``share`` times more only.
        """
        return self.in_graph * share * share * self.of_graph


@dataclass(frozen=True)
class Choice:
    """The way to go, for how many vectors (estimated where files were filtered)."""

    way: Way
    rows_left: int


def choose(counts: Counts, wanted_files: int | None, dimensions: int) -> Choice:
    """``wanted_files``: how many files the filters leave, None without filters.

    Exact scans and codes cost what is left, a walk the less the more of its graph is wanted.
    """
    share = 1.0 if wanted_files is None else min(1.0, wanted_files / max(counts.files, 1))
    rows_left = round(counts.passages * share)
    crossovers = CROSSOVERS[dimensions]
    if counts.worth_of_a_walk(share) > crossovers.walk_from:
        return Choice(Way.GRAPH, rows_left)
    return Choice(Way.EXACT if rows_left <= crossovers.exact_up_to else Way.CODES, rows_left)


def files_read_exactly(counts: Counts, dimensions: int) -> int:
    """How many files filters may leave at most for the exact scan to be the way to go; -1 where it never is."""
    if choose(counts, None, dimensions).way is Way.EXACT:
        return _ANY
    other = bisect_left(
        range(counts.files), 1, key=lambda files: choose(counts, files, dimensions).way is not Way.EXACT
    )
    return other - 1


def belong_in_the_graph(passages: int, dimensions: int) -> bool:
    """True for a tenant of so many passages; inserting one into the graph costs as much as reading 10,000 codes."""
    return passages > CROSSOVERS[dimensions].graph_from


def rows_for_the_graph(counts: Counts, coming: int) -> int:
    """How many of a large tenant's vectors outside the graph enter it together with ``coming`` new ones.

    A few times what comes, so that a tenant who grows past the crossover catches up without any one file waiting long.
    """
    return min(counts.fresh, _CATCHING_UP * coming + _AT_LEAST_AT_ONCE)
