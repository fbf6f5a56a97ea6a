"""A user's past searches: the newest thousand, visible to them only, until they delete them."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from search.store.statements import Transaction, statement

KEPT = 1000

TYPING_PAUSE = timedelta(seconds=5)
"""After a longer pause a query is a search of its own, not the previous one being typed on."""

# A query that extends or shortens the user's last one replaces it. `now()` is when this search began: one that began
# later may have been stored already.
_KEEP = """WITH draft AS (
    SELECT h.search_id FROM (
        SELECT * FROM search_history WHERE user_id = :user_id ORDER BY search_id DESC LIMIT 1) h
    WHERE h.mode = :mode AND h.created_at > now() - CAST(:pause AS interval) AND lower(h.query) <> lower(:query)
        AND (starts_with(lower(:query), lower(h.query)) OR starts_with(lower(h.query), lower(:query)))
        AND NOT EXISTS (SELECT FROM search_feedback b WHERE b.search_id = h.search_id)),
continued AS (
    UPDATE search_history h SET query = :query, result_count = :result_count, took_ms = :took_ms,
        degraded = :degraded, cached = :cached, filtered = :filtered, created_at = now()
    FROM draft WHERE h.search_id = draft.search_id AND h.created_at <= now()),
kept AS (
    INSERT INTO search_history (user_id, query, mode, result_count, took_ms, degraded, cached, filtered)
    SELECT :user_id, :query, :mode, :result_count, :took_ms, :degraded, :cached, :filtered
    WHERE NOT EXISTS (SELECT FROM draft) RETURNING search_id),
forgotten AS (
    DELETE FROM search_history WHERE user_id = :user_id AND search_id = ANY(ARRAY(
        SELECT search_id FROM search_history WHERE user_id = :user_id ORDER BY search_id DESC
        OFFSET :most - (SELECT count(*) FROM kept))))
SELECT search_id FROM draft UNION ALL SELECT search_id FROM kept"""

_LATEST = """SELECT search_id FROM search_history WHERE user_id = :user_id AND query = :query AND mode = :mode
    ORDER BY search_id DESC LIMIT 1"""

_PAGE = """SELECT search_id, query, mode, result_count, took_ms, degraded, cached, filtered, created_at
    FROM search_history WHERE user_id = :user_id ORDER BY search_id DESC LIMIT :limit OFFSET :offset"""

_COUNT = "SELECT count(*) FROM search_history WHERE user_id = :user_id"

_DELETE = """DELETE FROM search_history WHERE user_id = :user_id
    AND (CAST(:search_id AS uuid) IS NULL OR search_id = :search_id) RETURNING 1"""


@dataclass(frozen=True)
class PastSearch:
    """One of the caller's searches. ``filtered``: filters held some of the files out."""

    search_id: UUID
    query: str
    mode: str
    result_count: int
    took_ms: float
    degraded: bool
    cached: bool
    filtered: bool
    created_at: datetime


async def remember(
    transaction: Transaction,
    user_id: str,
    query: str,
    mode: str,
    *,
    result_count: int,
    took_ms: float,
    degraded: bool,
    cached: bool,
    filtered: bool = False,
) -> UUID:
    """Stores a search, deletes the oldest beyond ``KEPT`` and returns its id.

    The searches made while a query is being typed count as one: they share an id, and only the last is stored.
    """
    asked = {"user_id": user_id, "query": query, "mode": mode, "filtered": filtered}
    row = asked | {"result_count": result_count, "took_ms": took_ms, "degraded": degraded, "cached": cached}
    return (await transaction.execute(statement(_KEEP), row | {"pause": TYPING_PAUSE, "most": KEPT})).one().search_id


async def latest(transaction: Transaction, user_id: str, query: str, mode: str) -> UUID | None:
    """Returns the id of the last search for the same query and mode; None if there is none (any more)."""
    found = await transaction.execute(statement(_LATEST), {"user_id": user_id, "query": query, "mode": mode})
    return next((row.search_id for row in found), None)


async def page(session: AsyncSession, user_id: str, limit: int, offset: int) -> list[PastSearch]:
    """Returns a page of the user's searches, newest first."""
    found = await session.execute(text(_PAGE), {"user_id": user_id, "limit": limit, "offset": offset})
    return [PastSearch(**row) for row in found.mappings()]


async def count(session: AsyncSession, user_id: str) -> int:
    """Returns how many searches are stored."""
    return (await session.execute(text(_COUNT), {"user_id": user_id})).scalar_one()


async def delete(session: AsyncSession, user_id: str, search_id: UUID | None = None) -> int:
    """Deletes one search or, without ``search_id``, all of the user's; returns how many were deleted."""
    deleted = await session.execute(text(_DELETE), {"user_id": user_id, "search_id": search_id})
    return len(deleted.all())
