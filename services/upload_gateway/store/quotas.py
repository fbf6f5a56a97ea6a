"""Queries on how many files a user has added on a day (UTC). One row is one counter; the row lock orders everybody."""

from datetime import date
from typing import Any, cast

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.engine import CursorResult
from sqlalchemy.ext.asyncio import AsyncSession

from upload_gateway.tables import daily_uploads


async def used(session: AsyncSession, user_id: str, day: date) -> int:
    """How many of the day are taken."""
    statement = select(daily_uploads.c.used).where(daily_uploads.c.user_id == user_id, daily_uploads.c.day == day)
    return await session.scalar(statement) or 0


async def take(session: AsyncSession, user_id: str, day: date, limit: int | None) -> bool:
    """Counts one more; False (and nothing counted) when ``limit`` are taken. Without ``limit`` it always counts."""
    if limit is not None and limit < 1:
        return False
    counter = insert(daily_uploads).values(user_id=user_id, day=day, used=1)
    free = None if limit is None else daily_uploads.c.used < limit
    more = counter.on_conflict_do_update(
        index_elements=["user_id", "day"], set_={"used": daily_uploads.c.used + 1}, where=free
    )
    return await session.scalar(more.returning(daily_uploads.c.used)) is not None


async def release(session: AsyncSession, user_id: str, day: date) -> None:
    """Gives one back: the upload it was counted for never was."""
    counter = (daily_uploads.c.user_id == user_id, daily_uploads.c.day == day, daily_uploads.c.used > 0)
    await session.execute(update(daily_uploads).where(*counter).values(used=daily_uploads.c.used - 1))


async def forget_before(session: AsyncSession, day: date) -> int:
    """Removes every user's counters of earlier days; the transaction must have taken the purge's role."""
    statement = delete(daily_uploads).where(daily_uploads.c.day < day)
    return cast("CursorResult[Any]", await session.execute(statement)).rowcount
