"""Chooses how to scan for nearest neighbours from the number of vectors left after tenant and filters. Pure.

EXACT compares every vector. CODES reads the signs of every vector and compares the best ones exactly. GRAPH walks an
HNSW index and reads the codes of vectors that are not in it yet. Vectors enter a graph once a tenant has enough.
"""

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class ScanMethod(StrEnum):
    """How the nearest vectors are found; see the module."""

    EXACT = "exact"
    CODES = "codes"
    GRAPH = "graph"


@dataclass(frozen=True)
class Crossovers:
    """Numbers of vectors at which the fastest scan changes.

    A tenant with more than ``graph_from`` has them in the graph. The graph is the fastest scan if its value
    (:meth:`Counts.graph_scan_value`) is above ``graph_scan_from``; otherwise the exact scan is, up to ``exact_up_to``.
    """

    graph_from: int
    graph_scan_from: int
    exact_up_to: int


CROSSOVERS: Mapping[int, Crossovers] = MappingProxyType(
    {
        384: Crossovers(graph_from=4900, graph_scan_from=4700, exact_up_to=10_000),
        1536: Crossovers(graph_from=4900, graph_scan_from=4150, exact_up_to=3500),
    }
)
"""Dimensions → crossovers, as ``python -m tests.bench.search crossovers`` measured them (docs/search-index.md).

``exact_up_to`` is a choice. 384: below the crossing of 12,000, because an exact scan reads eight times as many pages,
which may not be in memory. 1536: between 2,450 without filters and 4,200 with, where codes need a statement more.
"""

_ANY_NUMBER = 2**31 - 1
_MOVED_PER_NEW_ONE = 4
_LEAST_MOVED = 64


@dataclass(frozen=True)
class Counts:
    """How many passages, passages in the graph and files a user has of one model.

    ``of_graph``: the user's fraction of the nodes in the shared HNSW index number ``graph``; 1.0 if nobody shares it.
    """

    passages: int
    in_graph: int
    files: int
    of_graph: float = 1.0
    graph: int = 0

    @property
    def fresh(self) -> int:
        """Vectors that are not in the graph yet."""
        return self.passages - self.in_graph

    def graph_scan_value(self, share: float) -> float:
        """Returns the value of a graph scan that filters leave a ``share`` (0 to 1) of these vectors.

        A walk meets a matching vector every 1/share steps, whether filters exclude the others or they belong to another
        tenant; so each vector that is left counts only as ``share`` of one.
        """
        return self.in_graph * share * share * self.of_graph


@dataclass(frozen=True)
class Choice:
    """The chosen scan, and the number of vectors it is for (an estimate if there are filters)."""

    method: ScanMethod
    rows_left: int


def choose_scan(counts: Counts, files_left: int | None, dimensions: int) -> Choice:
    """Returns the fastest scan. ``files_left``: how many files the filters leave; None without filters.

    Exact and codes cost O(vectors left); a graph scan gets cheaper the larger the fraction of its graph that matches.
    """
    share = 1.0 if files_left is None else min(1.0, files_left / max(counts.files, 1))
    rows_left = round(counts.passages * share)
    crossovers = CROSSOVERS[dimensions]
    if counts.graph_scan_value(share) > crossovers.graph_scan_from:
        return Choice(ScanMethod.GRAPH, rows_left)
    return Choice(ScanMethod.EXACT if rows_left <= crossovers.exact_up_to else ScanMethod.CODES, rows_left)


def files_read_exactly(counts: Counts, dimensions: int) -> int:
    """Returns the largest number of files left by filters for which the exact scan is chosen; -1 if it never is."""
    if choose_scan(counts, None, dimensions).method is ScanMethod.EXACT:
        return _ANY_NUMBER
    other = bisect_left(
        range(counts.files), 1, key=lambda files: choose_scan(counts, files, dimensions).method is not ScanMethod.EXACT
    )
    return other - 1


def belong_in_the_graph(passages: int, dimensions: int) -> bool:
    """True for a tenant with that many passages; inserting one into the graph costs as much as reading 10,000 codes."""
    return passages > CROSSOVERS[dimensions].graph_from


def rows_for_the_graph(counts: Counts, coming: int) -> int:
    """Returns how many vectors outside the graph are to enter it together with ``coming`` new ones.

    A small multiple of ``coming``, so that a tenant who grows past the crossover catches up and no single file waits
    long.
    """
    return min(counts.fresh, _MOVED_PER_NEW_ONE * coming + _LEAST_MOVED)
