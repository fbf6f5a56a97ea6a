"""Counts a user's vectors and moves them into the HNSW graph (a partial index) of the user.

A hash of the user id chooses one of sixteen shared graphs: a walk steps over the vectors of others in it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

from sqlalchemy.ext.asyncio import AsyncSession

from search.planner import Counts, belong_in_the_graph, rows_for_the_graph
from search.store.statements import Transaction, statement
from search.tables import VECTOR_TABLES

GRAPHS = 16

OF_USER = f"(hashtext(:user_id) & {GRAPHS - 1})"

_HOLDS = ", ".join(
    f"(SELECT CAST(reltuples AS float8) FROM pg_class WHERE oid = to_regclass('{table}_graph_' || {OF_USER}))"  # noqa: S608 - constants only
    for table in VECTOR_TABLES.values()
)

COUNTED = f"""SELECT {OF_USER} AS graph, ARRAY[{_HOLDS}] AS graph_holds, array_agg(model_id) AS models,
    array_agg(passages) AS passages, array_agg(in_graph) AS in_graph, array_agg(files) AS files
    FROM (SELECT model_id, CAST(sum(passages) AS bigint) AS passages, CAST(sum(in_graph) AS bigint) AS in_graph,
        CAST(sum(files) AS bigint) AS files
        FROM vector_counts WHERE user_id = :user_id GROUP BY model_id) of_model"""  # noqa: S608 - constants only
"""Sums the few rows that triggers maintain; the cost does not depend on the number of vectors.

``graph_holds``: nodes of the user's graph as of the last vacuum, in the order of ``VECTOR_TABLES``.
"""

# SKIP LOCKED: two writers of one user's files take different rows, and neither waits for the other.
_ADD = """UPDATE {table} SET in_graph = true WHERE id IN (
    SELECT id FROM {table} WHERE user_id = :user_id AND model_id = :model_id AND NOT in_graph
    ORDER BY id LIMIT :rows FOR UPDATE SKIP LOCKED)"""


def predicate(graph: int) -> str:
    """Returns the condition on ``vectors v`` by which a generic plan finds the index of one graph."""
    return f"v.in_graph AND (hashtext(v.user_id) & {GRAPHS - 1}) = {graph}"


class OfModel(NamedTuple):
    """How many passages, passages in the graph and files a user has of one model."""

    passages: int
    in_graph: int
    files: int


@dataclass(frozen=True)
class Holdings:
    """What a user has, by model. ``holds``: dimensions → all users' vectors in the graph number ``graph``."""

    of_models: Mapping[str, OfModel]
    graph: int
    holds: Mapping[int, float]

    @classmethod
    def of(cls, row: Any) -> Self:
        """Builds it from the row of ``COUNTED``."""
        counted = map(OfModel, row.passages or (), row.in_graph or (), row.files or ())
        holds = {of: count or 0.0 for of, count in zip(VECTOR_TABLES, row.graph_holds, strict=True)}
        return cls(dict(zip(row.models or (), counted, strict=True)), row.graph, holds)

    def counts(self, model_id: str, dimensions: int) -> Counts:
        """Returns the counts of one model."""
        has = self.of_models.get(model_id, OfModel(0, 0, 0))
        of_graph = min(1.0, has.in_graph / max(self.holds[dimensions], 1.0)) if has.in_graph else 0.0
        return Counts(*has, of_graph, self.graph)


async def counts(transaction: Transaction, user_id: str, model_id: str, dimensions: int) -> Counts:
    """Returns what a user has of one model."""
    row = (await transaction.execute(statement(COUNTED), {"user_id": user_id})).one()
    return Holdings.of(row).counts(model_id, dimensions)


async def grow(session: AsyncSession, user_id: str, model_id: str, dimensions: int, coming: int) -> bool:
    """Returns whether ``coming`` new vectors belong in the graph; if so, moves some older ones into it as well."""
    now = await counts(session, user_id, model_id, dimensions)
    if not belong_in_the_graph(now.passages + coming, dimensions):
        return False
    rows = rows_for_the_graph(now, coming)
    if rows:
        await add(session, user_id, model_id, dimensions, rows)
    return True


async def add(session: AsyncSession, user_id: str, model_id: str, dimensions: int, rows: int) -> int:
    """Moves up to ``rows`` vectors into the graph, the oldest first; returns how many were moved."""
    added = statement(_ADD.format(table=VECTOR_TABLES[dimensions]))
    key = {"user_id": user_id, "model_id": model_id}
    moved = await session.execute(added, key | {"rows": rows})
    return moved.rowcount  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType, reportUnknownVariableType]
