"""How many vectors a user has, and which of them are in the HNSW index of the user's graph.

Users share sixteen graphs by a hash of their id: a walk steps over everybody else's vectors.
"""

from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from search.planner import Counts, belong_in_the_graph, rows_for_the_graph
from search.store.statements import Asking, statement
from search.tables import VECTOR_TABLES

GRAPHS = 16

OF_USER = f"(hashtext(:user_id) & {GRAPHS - 1})"

COUNTED = f"""SELECT CAST(COALESCE(sum(passages), 0) AS bigint) AS passages,
    CAST(COALESCE(sum(in_graph), 0) AS bigint) AS in_graph, CAST(COALESCE(sum(files), 0) AS bigint) AS files,
    {OF_USER} AS graph, COALESCE((SELECT CAST(reltuples AS float8) FROM pg_class
        WHERE oid = to_regclass('{{table}}_graph_' || {OF_USER})), 0) AS graph_holds
    FROM vector_counts WHERE user_id = :user_id AND model_id = :model_id"""  # noqa: S608 - constants only
"""A few rows that triggers keep; costs the same for any number of vectors. ``graph_holds`` is as of the last vacuum."""

# Two writers of one user's files take different rows, and neither waits for the other.
_ADD = """UPDATE {table} SET in_graph = true WHERE id IN (
    SELECT id FROM {table} WHERE user_id = :user_id AND model_id = :model_id AND NOT in_graph
    ORDER BY id LIMIT :rows FOR UPDATE SKIP LOCKED)"""


def walked(graph: int) -> str:
    """The condition on ``vectors v`` by which a plan, prepared for any user, finds the index of one graph."""
    return f"v.in_graph AND (hashtext(v.user_id) & {GRAPHS - 1}) = {graph}"


def counts_of(row: Any) -> Counts:
    """Of a row of ``COUNTED``."""
    of_graph = min(1.0, row.in_graph / max(row.graph_holds, 1.0)) if row.in_graph else 0.0
    return Counts(row.passages, row.in_graph, row.files, of_graph)


async def counts(asking: Asking, user_id: str, model_id: str, dimensions: int) -> Counts:
    """What a user has of one model."""
    counted = statement(COUNTED.format(table=VECTOR_TABLES[dimensions]))
    return counts_of((await asking.execute(counted, {"user_id": user_id, "model_id": model_id})).one())


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
