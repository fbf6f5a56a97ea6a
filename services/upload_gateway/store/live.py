"""Queries of live status: what changed since a position, in an order that loses nothing, and tickets for streams.

A row carries the id of the transaction that last wrote it. Transactions end in another order than they begin, so a
position is not the highest id seen but the oldest one still running at the time of reading (:func:`horizon`):
everything below it was visible then, everything that appears later lies at or above it.

What lies beyond every transaction that has begun was written in another cluster, from which this database was restored:
no news (decision 0048).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, literal, select, text, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from upload_gateway.store.uploads import UploadRow
from upload_gateway.tables import removed_uploads, stream_tickets, uploads
from upload_gateway.view import Status

_READ = [column for column in uploads.c if column.name != "state"]
_MOST_REMOVED = 500
_BEYOND = text("pg_snapshot_xmax(pg_current_snapshot())::text::bigint")
"""Above the id of whatever this cluster has written that can be seen."""


@dataclass(frozen=True)
class Changed:
    """An upload as it is now, and the transaction that made it so."""

    upload: UploadRow
    change: int


@dataclass(frozen=True)
class TicketRow:
    """Whom a ticket lets in; ``key_sha256`` when it was asked for with an API key."""

    user_id: str
    key_sha256: str | None


async def horizon(session: AsyncSession) -> int:
    """The position of now: every change below it can be seen."""
    return int(await session.scalar(text("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint")) or 0)


async def changed_after(
    session: AsyncSession, user_id: str, position: tuple[int, str], limit: int
) -> Sequence[Changed]:
    """The user's next uploads after ``position`` (change, upload id), oldest change first."""
    statement = (
        select(*_READ)
        .where(uploads.c.user_id == user_id)
        .where(tuple_(uploads.c.changed, uploads.c.upload_id) > tuple_(literal(position[0]), literal(position[1])))
        .where(uploads.c.changed < _BEYOND)
        .order_by(uploads.c.changed, uploads.c.upload_id)
        .limit(limit)
    )
    rows = (await session.execute(statement)).mappings()
    return [Changed(UploadRow.model_validate(dict(row)), row["changed"]) for row in rows]


async def removed_since(session: AsyncSession, user_id: str, position: int) -> Sequence[Changed]:
    """Uploads whose rows are gone since ``position``, shown as deleted. Kept for a day."""
    statement = (
        select(removed_uploads)
        .where(removed_uploads.c.user_id == user_id, removed_uploads.c.changed >= position)
        .where(removed_uploads.c.changed < _BEYOND)
        .where(~select(uploads.c.upload_id).where(uploads.c.upload_id == removed_uploads.c.upload_id).exists())
        .order_by(removed_uploads.c.changed)
        .limit(_MOST_REMOVED)
    )
    rows = (await session.execute(statement)).all()
    return [Changed(_as_deleted(row.last, row.removed_at), row.changed) for row in rows]


def _as_deleted(last: dict[str, object], removed_at: datetime) -> UploadRow:
    gone = {"status": Status.DELETED.value, "hidden_at": removed_at, "updated_at": removed_at}
    return UploadRow.model_validate(last | gone)


async def add_ticket(
    session: AsyncSession, sha256: str, user_id: str, key_sha256: str | None, lifetime: timedelta
) -> datetime:
    """Keeps a ticket and forgets expired ones; answers when it expires."""
    await session.execute(delete(stream_tickets).where(stream_tickets.c.expires_at < func.now()))
    statement = insert(stream_tickets).values(
        sha256=sha256, user_id=user_id, key_sha256=key_sha256, expires_at=func.now() + lifetime
    )
    expires_at = await session.scalar(statement.returning(stream_tickets.c.expires_at))
    assert expires_at is not None
    return expires_at


async def use_ticket(session: AsyncSession, sha256: str) -> TicketRow | None:
    """Takes a ticket that has not expired; the second time there is none."""
    statement = (
        delete(stream_tickets)
        .where(stream_tickets.c.sha256 == sha256, stream_tickets.c.expires_at > func.now())
        .returning(stream_tickets.c.user_id, stream_tickets.c.key_sha256)
    )
    row = (await session.execute(statement)).one_or_none()
    return TicketRow(row.user_id, row.key_sha256) if row else None
