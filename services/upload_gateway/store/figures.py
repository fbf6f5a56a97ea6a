"""Queries that count: a user's totals and how long files of a kind take."""

from dataclasses import dataclass

from sqlalchemy import BigInteger, Double, Integer, cast, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.artifacts import Kind
from upload_gateway.tables import uploads
from upload_gateway.view import Status

_RECENT = 50
ENOUGH = 3
"""Fewer finished files than this say nothing about the next one."""


@dataclass(frozen=True)
class Totals:
    """A user's uploads in figures; deleted ones do not count."""

    total_uploads: int
    uploads_by_type: dict[str, int]
    uploads_by_status: dict[str, int]
    total_storage_bytes: int
    average_processing_time_ms: int | None
    tokens: int
    cost_usd: float


async def median_seconds(session: AsyncSession, user_id: str, kind: Kind) -> float | None:
    """The median processing time of the user's most recent files of a kind; None while too few are known."""
    recent = (
        select(uploads.c.processing_s)
        .where(
            uploads.c.user_id == user_id,
            uploads.c.kind == kind.value,
            uploads.c.status == Status.COMPLETED.value,
            uploads.c.processing_s.is_not(None),
        )
        .order_by(uploads.c.created_at.desc())
        .limit(_RECENT)
        .subquery()
    )
    median = func.percentile_cont(0.5).within_group(recent.c.processing_s)
    row = (await session.execute(select(func.count(recent.c.processing_s), median))).one()
    return float(row[1]) if row[0] >= ENOUGH else None


async def totals(session: AsyncSession, user_id: str) -> Totals:
    """Everything ``/stats/me`` shows."""
    tokens = uploads.c.usage["input_tokens"].astext.cast(BigInteger) + uploads.c.usage["output_tokens"].astext.cast(
        BigInteger
    )
    statement = (
        select(
            uploads.c.kind,
            uploads.c.status,
            func.count().label("files"),
            func.coalesce(func.sum(uploads.c.size_bytes), 0).label("size"),
            func.coalesce(func.sum(uploads.c.processing_s), 0.0).label("seconds"),
            cast(func.count(uploads.c.processing_s), Integer).label("timed"),
            func.coalesce(func.sum(tokens), 0).label("tokens"),
            func.coalesce(func.sum(uploads.c.usage["cost_usd"].astext.cast(Double)), 0.0).label("cost"),
        )
        .where(uploads.c.user_id == user_id, uploads.c.status != Status.DELETED.value)
        .group_by(uploads.c.kind, uploads.c.status)
    )
    rows = list((await session.execute(statement)).mappings())
    by_type: dict[str, int] = {}
    by_status: dict[str, int] = {}
    for row in rows:
        kind = row["kind"] or "unknown"
        by_type[kind] = by_type.get(kind, 0) + row["files"]
        by_status[row["status"]] = by_status.get(row["status"], 0) + row["files"]
    timed = sum(row["timed"] for row in rows)
    return Totals(
        total_uploads=sum(row["files"] for row in rows),
        uploads_by_type=by_type,
        uploads_by_status=by_status,
        total_storage_bytes=int(sum(row["size"] for row in rows)),
        average_processing_time_ms=round(sum(row["seconds"] for row in rows) * 1000 / timed) if timed else None,
        tokens=int(sum(row["tokens"] for row in rows)),
        cost_usd=float(sum(row["cost"] for row in rows)),
    )
