"""How many vectors a user has, and which of them are in the HNSW index."""

from sqlalchemy.ext.asyncio import AsyncSession

from search.planner import Counts, rows_for_the_graph
from search.store.statements import statement
from search.tables import VECTOR_TABLES

_COUNTS = """SELECT COALESCE(sum(passages), 0) AS passages, COALESCE(sum(in_graph), 0) AS in_graph,
    COALESCE(sum(files), 0) AS files FROM vector_counts WHERE user_id = :user_id AND model_id = :model_id"""

# Two writers of one user's files take different rows, and neither waits for the other.
_ADD = """UPDATE {table} SET in_graph = true WHERE id IN (
    SELECT id FROM {table} WHERE user_id = :user_id AND model_id = :model_id AND NOT in_graph
    ORDER BY id LIMIT :rows FOR UPDATE SKIP LOCKED)"""


async def counts(session: AsyncSession, user_id: str, model_id: str) -> Counts:
    """A few rows that triggers keep; costs the same for any number of vectors."""
    row = (await session.execute(statement(_COUNTS), {"user_id": user_id, "model_id": model_id})).one()
    return Counts(int(row.passages), int(row.in_graph), int(row.files))


async def grow(session: AsyncSession, user_id: str, model_id: str, dimensions: int, written: int) -> None:
    """Moves some of a large tenant's vectors into the graph, after ``written`` more came."""
    rows = rows_for_the_graph(await counts(session, user_id, model_id), written, dimensions)
    if rows:
        await add(session, user_id, model_id, dimensions, rows)


async def add(session: AsyncSession, user_id: str, model_id: str, dimensions: int, rows: int) -> int:
    """Moves up to ``rows`` fresh vectors into the graph, the oldest first; answers how many there were."""
    added = statement(_ADD.format(table=VECTOR_TABLES[dimensions]))
    key = {"user_id": user_id, "model_id": model_id}
    moved = await session.execute(added, key | {"rows": rows})
    return moved.rowcount  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType, reportUnknownVariableType]
