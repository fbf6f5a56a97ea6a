"""A user's past searches: kept for them alone, the newest thousand, until they delete them."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

KEPT = 1000

_INSERT = """INSERT INTO search_history (user_id, query, mode, result_count, took_ms, degraded, cached)
    VALUES (:user_id, :query, :mode, :result_count, :took_ms, :degraded, :cached) RETURNING search_id"""

_LATEST = """SELECT search_id FROM search_history WHERE user_id = :user_id AND query = :query AND mode = :mode
    ORDER BY search_id DESC LIMIT 1"""

_TRIM = """DELETE FROM search_history WHERE user_id = :user_id AND search_id <= (SELECT search_id FROM search_history
    WHERE user_id = :user_id ORDER BY search_id DESC OFFSET :kept LIMIT 1)"""

_PAGE = """SELECT search_id, query, mode, result_count, took_ms, degraded, cached, created_at FROM search_history
    WHERE user_id = :user_id ORDER BY search_id DESC LIMIT :limit OFFSET :offset"""


@dataclass(frozen=True)
class PastSearch:
    """One search as it was asked and how it went."""

    search_id: UUID
    query: str
    mode: str
    result_count: int
    took_ms: float
    degraded: bool
    cached: bool
    created_at: datetime


async def remember(
    session: AsyncSession,
    user_id: str,
    query: str,
    mode: str,
    *,
    result_count: int,
    took_ms: float,
    degraded: bool,
    cached: bool,
) -> UUID:
    """Keeps a search and forgets the oldest beyond ``KEPT``; answers its id."""
    values = {"result_count": result_count, "took_ms": took_ms, "degraded": degraded, "cached": cached}
    row = {"user_id": user_id, "query": query, "mode": mode, **values}
    search_id = (await session.execute(text(_INSERT), row)).scalar_one()
    await session.execute(text(_TRIM), {"user_id": user_id, "kept": KEPT})
    return search_id


async def latest(session: AsyncSession, user_id: str, query: str, mode: str) -> UUID | None:
    """The last search for the same; None when it is not kept (any more)."""
    return await session.scalar(text(_LATEST), {"user_id": user_id, "query": query, "mode": mode})


async def page(session: AsyncSession, user_id: str, limit: int, offset: int) -> list[PastSearch]:
    """The user's searches, newest first."""
    found = await session.execute(text(_PAGE), {"user_id": user_id, "limit": limit, "offset": offset})
    return [PastSearch(**row) for row in found.mappings()]


async def count(session: AsyncSession, user_id: str) -> int:
    """How many are kept."""
    statement = text("SELECT count(*) FROM search_history WHERE user_id = :user_id")
    return (await session.execute(statement, {"user_id": user_id})).scalar_one()


async def delete(session: AsyncSession, user_id: str, search_id: UUID | None = None) -> int:
    """Deletes one search or, without ``search_id``, all of the user's; answers how many there were."""
    statement = text(
        "DELETE FROM search_history WHERE user_id = :user_id"
        " AND (CAST(:search_id AS uuid) IS NULL OR search_id = :search_id) RETURNING 1"
    )
    return len((await session.execute(statement, {"user_id": user_id, "search_id": search_id})).all())
