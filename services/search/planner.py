"""From the number of vectors left after tenant and filters to the fastest way that still finds the nearest. Pure.

EXACT reads every vector, CODES every vector's signs and then the vectors of the best, GRAPH walks the HNSW index and
adds the codes of what is not in it yet. A tenant's vectors enter the graph when there are enough of them.
"""

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
    """Numbers of vectors left up to which a way is the fastest of those with a recall of 0.99."""

    exact_up_to: int
    codes_up_to: int


CROSSOVERS: Mapping[int, Crossovers] = MappingProxyType(
    {384: Crossovers(exact_up_to=1500, codes_up_to=15_000), 1536: Crossovers(exact_up_to=600, codes_up_to=6000)}
)
"""Dimensions → crossovers: estimates from runs of the benchmark, to be replaced by what ``python -m tests.bench.search
crossovers`` prints on a quiet machine.
"""

FRESH = 500
"""Vectors of a large tenant that wait outside the graph; inserting one costs as much as reading the codes of 10,000."""

_CATCHING_UP = 4
_AT_LEAST_AT_ONCE = 64


@dataclass(frozen=True)
class Counts:
    """What a user has of one model."""

    passages: int
    in_graph: int
    files: int

    @property
    def fresh(self) -> int:
        """Vectors outside the graph."""
        return self.passages - self.in_graph


@dataclass(frozen=True)
class Choice:
    """The way to go, for how many vectors (estimated where files were filtered)."""

    way: Way
    rows_left: int


def choose(counts: Counts, wanted_files: int | None, dimensions: int) -> Choice:
    """``wanted_files``: how many files the filters leave, None without filters.

    A walk through the graph meets a wanted vector every 1/share steps, so what it costs grows as the share falls.
    """
    share = 1.0 if wanted_files is None else min(1.0, wanted_files / max(counts.files, 1))
    rows_left = round(counts.passages * share)
    crossovers = CROSSOVERS[dimensions]
    if rows_left <= crossovers.exact_up_to:
        return Choice(Way.EXACT, rows_left)
    if counts.in_graph * share * share > crossovers.codes_up_to:
        return Choice(Way.GRAPH, rows_left)
    return Choice(Way.CODES, rows_left)


def rows_for_the_graph(counts: Counts, written: int, dimensions: int) -> int:
    """How many fresh vectors go into the graph after ``written`` more came: none for a tenant too small to need it.

    A few times what came, so that a tenant who grows past the crossover catches up without any one file waiting long.
    """
    if counts.passages <= CROSSOVERS[dimensions].codes_up_to:
        return 0
    return min(max(counts.fresh - FRESH, 0), _CATCHING_UP * written + _AT_LEAST_AT_ONCE)
