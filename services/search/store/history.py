"""A user's past searches: kept for them alone, the newest thousand, until they delete them."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from search.store.statements import Asking, statement

KEPT = 1000

TYPING_PAUSE = timedelta(seconds=5)
"""Who pauses for longer has asked, and asks anew."""

# A query that only goes on with the user's last one, or takes back some of it, takes its place. `now()` is when this
# search began: one that began later may have been kept already.
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


@dataclass(frozen=True)
class PastSearch:
    """One search as it was asked and how it went. ``filtered``: only a part of the files was looked through."""

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
    asking: Asking,
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
    """Keeps a search and forgets the oldest beyond ``KEPT``; answers its id.

    While a query is being typed its searches are one: they share an id, and only the last of them is kept.
    """
    asked = {"user_id": user_id, "query": query, "mode": mode, "filtered": filtered}
    row = asked | {"result_count": result_count, "took_ms": took_ms, "degraded": degraded, "cached": cached}
    return (await asking.execute(statement(_KEEP), row | {"pause": TYPING_PAUSE, "most": KEPT})).one().search_id


async def latest(asking: Asking, user_id: str, query: str, mode: str) -> UUID | None:
    """The last search for the same; None when it is not kept (any more)."""
    found = await asking.execute(statement(_LATEST), {"user_id": user_id, "query": query, "mode": mode})
    return next((row.search_id for row in found), None)


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
