"""Users' verdicts on files that a search found: one for each search and file, the last one counts."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

# Locked, because a search could be deleted from the history before the verdict on it is written.
_KNOWN = """WITH search AS MATERIALIZED (SELECT FROM search_history WHERE user_id = :user_id AND search_id = :search_id
        FOR KEY SHARE)
    SELECT EXISTS (SELECT FROM search) AS search, EXISTS (SELECT FROM files
        WHERE user_id = :user_id AND upload_id = :upload_id AND processed_run IS NOT NULL) AS file"""

# xmax is 0 in a row that was inserted.
_WRITE = """INSERT INTO search_feedback (search_id, upload_id, user_id, rating, comment)
    VALUES (:search_id, :upload_id, :user_id, :rating, :comment)
    ON CONFLICT (search_id, upload_id) DO UPDATE
    SET rating = excluded.rating, comment = excluded.comment, created_at = now() RETURNING xmax <> 0"""

_LATEST = """SELECT b.search_id, h.query, b.upload_id, f.filename, b.rating, b.comment, b.created_at
    FROM search_feedback b JOIN search_history h USING (search_id) LEFT JOIN files f USING (upload_id)
    WHERE b.user_id = :user_id AND b.created_at >= now() - CAST(:period AS interval)
    ORDER BY b.created_at DESC, b.search_id, b.upload_id LIMIT :limit"""


@dataclass(frozen=True)
class Pair:
    """Whether the search and the file of a verdict are the user's own."""

    search: bool
    file: bool


@dataclass(frozen=True)
class Verdict:
    """What was thought of one file of one search; ``rating`` 1: that was it, 0: it was not.

    ``filename`` is null once the file is gone.
    """

    search_id: UUID
    query: str
    upload_id: str
    filename: str | None
    rating: int
    comment: str | None
    created_at: datetime


async def known(session: AsyncSession, user_id: str, search_id: UUID, upload_id: str) -> Pair:
    """Returns whether the user made that search and has that file."""
    values = {"user_id": user_id, "search_id": search_id, "upload_id": upload_id}
    row = (await session.execute(text(_KNOWN), values)).one()
    return Pair(row.search, row.file)


async def write(
    session: AsyncSession, user_id: str, search_id: UUID, upload_id: str, rating: int, comment: str | None
) -> bool:
    """Stores a verdict; returns True if it replaces an earlier one."""
    values = {"search_id": search_id, "upload_id": upload_id, "rating": rating, "comment": comment}
    return (await session.execute(text(_WRITE), values | {"user_id": user_id})).scalar_one()


async def latest(session: AsyncSession, user_id: str, days: int, limit: int) -> list[Verdict]:
    """Returns up to ``limit`` verdicts of the last days, newest first."""
    rows = await session.execute(text(_LATEST), {"user_id": user_id, "period": timedelta(days=days), "limit": limit})
    return [Verdict(**row) for row in rows.mappings()]
