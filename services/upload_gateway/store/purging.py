"""Queries of the purge: what is due over all users, in pages by id; what is changed is changed as the owner's own."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, delete, exists, func, or_, select, text, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.artifacts import UploadRef
from upload_gateway.tables import removed_versions, uploads
from upload_gateway.view import Status

_DELETED = uploads.c.status == Status.DELETED.value


@dataclass(frozen=True)
class Due:
    """An upload, whose it is, and for a removed version which one."""

    upload_id: str
    user_id: str
    generation: int


async def see_due(session: AsyncSession) -> None:
    """From here to its end the transaction may find what is due for every user."""
    await session.execute(text("SELECT set_config('app.role', 'purge', true)"))


async def cut_off(session: AsyncSession, now: datetime, streamed: timedelta, after: Due, limit: int) -> Sequence[Due]:
    """Pending uploads whose object should have been there by now."""
    until = func.coalesce(uploads.c.expected_until, uploads.c.created_at + streamed)
    return await _page(session, [uploads.c.generation == 0, until < now], after, limit)


async def outlived(
    session: AsyncSession, hidden_before: datetime, quiet_since: datetime, after: Due, limit: int
) -> Sequence[Due]:
    """Deleted uploads whose bytes are still there: kept for long enough, or purged and nothing has come of it."""
    due = or_(uploads.c.hidden_at < hidden_before, uploads.c.state["purged"].astext == "true")
    wanted = [_DELETED, uploads.c.generation > 0, ~uploads.c.bytes_gone, due, uploads.c.updated_at < quiet_since]
    return await _page(session, wanted, after, limit)


async def forgettable(session: AsyncSession, quiet_since: datetime, after: Due, limit: int) -> Sequence[Due]:
    """Rows of uploads of which nothing is left, after every message about them has died."""
    left = exists().where(removed_versions.c.upload_id == uploads.c.upload_id)
    wanted = [_DELETED, uploads.c.bytes_gone, uploads.c.updated_at < quiet_since, uploads.c.hidden_at < quiet_since]
    return await _page(session, [*wanted, ~left], after, limit)


async def leftovers(session: AsyncSession, removed_before: datetime, after: Due, limit: int) -> Sequence[Due]:
    """Versions the bucket has removed, whose derived files may still lie about."""
    removed = removed_versions.c
    statement = (
        select(removed.upload_id, removed.user_id, removed.generation)
        .where(removed.removed_at < removed_before)
        .where(tuple_(removed.upload_id, removed.generation) > (after.upload_id, after.generation))
        .order_by(removed.upload_id, removed.generation)
        .limit(limit)
    )
    return [Due(*row) for row in (await session.execute(statement)).all()]


async def note_removed(session: AsyncSession, upload: UploadRef, at: datetime) -> None:
    """The bucket has removed this version of the tenant's upload."""
    row = insert(removed_versions).values(**upload.model_dump(), removed_at=at)
    await session.execute(row.on_conflict_do_nothing())


async def take_removed(session: AsyncSession, due: Due) -> UploadRef | None:
    """The version, which is not noted any more; None when another instance was faster."""
    removed = removed_versions.c
    statement = delete(removed_versions).where(removed.upload_id == due.upload_id, removed.generation == due.generation)
    row = (await session.execute(statement.returning(*removed))).mappings().first()
    return None if row is None else UploadRef.model_validate(dict(row))


async def forget(session: AsyncSession, upload_id: str) -> None:
    """Removes the row itself."""
    await session.execute(delete(uploads).where(uploads.c.upload_id == upload_id, _DELETED, uploads.c.bytes_gone))


async def _page(session: AsyncSession, wanted: Sequence[ColumnElement[Any]], after: Due, limit: int) -> Sequence[Due]:
    statement = (
        select(uploads.c.upload_id, uploads.c.user_id, uploads.c.generation)
        .where(*wanted, uploads.c.upload_id > after.upload_id)
        .order_by(uploads.c.upload_id)
        .limit(limit)
    )
    return [Due(*row) for row in (await session.execute(statement)).all()]
