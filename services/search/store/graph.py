"""How many vectors a user has, and which of them are in the HNSW index of the user's graph.

Users share sixteen graphs by a hash of their id: a walk steps over everybody else's vectors.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

from sqlalchemy.ext.asyncio import AsyncSession

from search.planner import Counts, belong_in_the_graph, rows_for_the_graph
from search.store.statements import Asking, statement
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
"""A few rows that triggers keep, as one; costs the same for any number of vectors. ``graph_holds`` is as of the last
vacuum, in the order of ``VECTOR_TABLES``.
"""

# Two writers of one user's files take different rows, and neither waits for the other.
_ADD = """UPDATE {table} SET in_graph = true WHERE id IN (
    SELECT id FROM {table} WHERE user_id = :user_id AND model_id = :model_id AND NOT in_graph
    ORDER BY id LIMIT :rows FOR UPDATE SKIP LOCKED)"""


def walked(graph: int) -> str:
    """The condition on ``vectors v`` by which a plan, prepared for any user, finds the index of one graph."""
    return f"v.in_graph AND (hashtext(v.user_id) & {GRAPHS - 1}) = {graph}"


class OfModel(NamedTuple):
    """What a user has of one model: passages, those of them in a graph, and files."""

    passages: int
    in_graph: int
    files: int


@dataclass(frozen=True)
class Holdings:
    """What a user has, by model. ``holds``: what everybody has in the graph of that number, by dimensions."""

    of_models: Mapping[str, OfModel]
    graph: int
    holds: Mapping[int, float]

    @classmethod
    def of(cls, row: Any) -> Self:
        """Of a row of ``COUNTED``."""
        counted = map(OfModel, row.passages or (), row.in_graph or (), row.files or ())
        holds = {of: count or 0.0 for of, count in zip(VECTOR_TABLES, row.graph_holds, strict=True)}
        return cls(dict(zip(row.models or (), counted, strict=True)), row.graph, holds)

    def counts(self, model_id: str, dimensions: int) -> Counts:
        """Of one model."""
        has = self.of_models.get(model_id, OfModel(0, 0, 0))
        of_graph = min(1.0, has.in_graph / max(self.holds[dimensions], 1.0)) if has.in_graph else 0.0
        return Counts(*has, of_graph, self.graph)


async def counts(asking: Asking, user_id: str, model_id: str, dimensions: int) -> Counts:
    """What a user has of one model."""
    row = (await asking.execute(statement(COUNTED), {"user_id": user_id})).one()
    return Holdings.of(row).counts(model_id, dimensions)


async def grow(session: AsyncSession, user_id: str, model_id: str, dimensions: int, coming: int) -> bool:
    """Before ``coming`` vectors are written: True when they belong in the graph, into which some older ones follow."""
    now = await counts(session, user_id, model_id, dimensions)
    if not belong_in_the_graph(now.passages + coming, dimensions):
        return False
    rows = rows_for_the_graph(now, coming)
    if rows:
        await add(session, user_id, model_id, dimensions, rows)
    return True


async def add(session: AsyncSession, user_id: str, model_id: str, dimensions: int, rows: int) -> int:
    """Moves up to ``rows`` fresh vectors into the graph, the oldest first; answers how many there were."""
    added = statement(_ADD.format(table=VECTOR_TABLES[dimensions]))
    key = {"user_id": user_id, "model_id": model_id}
    moved = await session.execute(added, key | {"rows": rows})
    return moved.rowcount  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType, reportUnknownVariableType]
