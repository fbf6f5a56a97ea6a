"""Queries of whoever repairs: over all users' uploads for reading, the journal of repairs, what was swept."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, DateTime, case, collate, delete, func, literal, or_, select, text
from sqlalchemy.dialects.postgresql import aggregate_order_by, insert
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.artifacts import Kind, Service
from upload_gateway.tables import repairs, sweeps, uploads
from upload_gateway.uploads import UploadState
from upload_gateway.view import Status

_UNFINISHED = "uploads.status IN ('pending', 'processing')"
_UNHEARD = """(uploads.status = 'completed' AND (uploads.state -> 'processed' IS NULL
    OR uploads.state -> 'analyzed' IS NULL OR uploads.state -> 'embedded' IS NULL))"""
"""Written as in the partial indexes, which a statement with parameters would not be matched with."""


@dataclass(frozen=True)
class Owned:
    """An upload and whose it is."""

    upload_id: str
    user_id: str


@dataclass(frozen=True)
class Selection:
    """Which uploads a repair is about; None is any. Without ``user_id`` everyone's."""

    user_id: str | None = None
    status: Status | None = Status.FAILED
    kind: Kind | None = None
    code: str | None = None
    stage: Service | None = None
    since: datetime | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        """As SQL; deleted and ownerless uploads are never meant."""
        wanted: list[ColumnElement[bool]] = [uploads.c.status != Status.DELETED.value, uploads.c.ownerless.is_(False)]
        if self.user_id:
            wanted.append(uploads.c.user_id == self.user_id)
        if self.status:
            wanted.append(uploads.c.status == self.status.value)
        if self.kind:
            wanted.append(uploads.c.kind == self.kind.value)
        if self.code:
            wanted.append(uploads.c.error["code"].astext == self.code)
        if self.stage:
            wanted.append(uploads.c.error["stage"].astext == self.stage.value)
        if self.since:
            wanted.append(uploads.c.created_at >= self.since)
        return wanted


@dataclass(frozen=True)
class FailureGroup:
    """Failed uploads with one cause; ``example`` is the latest of them."""

    code: str
    stage: str
    kind: str | None
    uploads: int
    users: int
    first: datetime
    latest: datetime
    example: str
    message: str


async def see_all(session: AsyncSession) -> None:
    """From here to its end the transaction may read every user's uploads."""
    await session.execute(text("SELECT set_config('app.role', 'repair', true)"))


async def failure_groups(session: AsyncSession, wanted: Selection) -> Sequence[FailureGroup]:
    """Failures by code, stage and kind, most first."""
    code, stage = uploads.c.error["code"].astext, uploads.c.error["stage"].astext
    latest = uploads.c.updated_at.desc()
    grouped = (
        select(
            code.label("code"),
            stage.label("stage"),
            uploads.c.kind,
            func.count().label("uploads"),
            func.count(uploads.c.user_id.distinct()).label("users"),
            func.min(uploads.c.updated_at).label("first"),
            func.max(uploads.c.updated_at).label("latest"),
            func.array_agg(aggregate_order_by(uploads.c.upload_id, latest))[1].label("example"),
            func.array_agg(aggregate_order_by(uploads.c.error["message"].astext, latest))[1].label("message"),
        )
        .where(*wanted.conditions())
        .group_by(code, stage, uploads.c.kind)
        .order_by(func.count().desc(), code, stage)
    )
    return [FailureGroup(**row) for row in (await session.execute(grouped)).mappings()]


async def count(session: AsyncSession, wanted: Selection, after: str = "") -> int:
    """How many uploads of a selection come after an upload id."""
    statement = select(func.count()).select_from(uploads).where(*wanted.conditions(), uploads.c.upload_id > after)
    return await session.scalar(statement) or 0


async def select_page(session: AsyncSession, wanted: Selection, after: str, limit: int) -> Sequence[Owned]:
    """The next uploads of a selection in the order of their ids."""
    statement = (
        select(uploads.c.upload_id, uploads.c.user_id)
        .where(*wanted.conditions(), uploads.c.upload_id > after)
        .order_by(uploads.c.upload_id)
        .limit(limit)
    )
    return [Owned(**row) for row in (await session.execute(statement)).mappings()]


async def versions_of(session: AsyncSession, upload_ids: Sequence[str]) -> dict[str, UploadState]:
    """States by id, of those that are known."""
    found = await session.execute(select(uploads.c.state).where(uploads.c.upload_id.in_(upload_ids)))
    states = [UploadState.model_validate(state) for (state,) in found]
    return {state.upload_id: state for state in states}


async def by_object(
    session: AsyncSession, bucket: str, after: str, upto: str | None, limit: int
) -> Sequence[UploadState]:
    """Uploads in the order in which a bucket lists their objects, with names after ``after`` and up to ``upto``."""
    name = collate(uploads.c.object_name, "C")
    wanted: list[ColumnElement[bool]] = [uploads.c.bucket == bucket, name > after]
    if upto is not None:
        wanted.append(name <= upto)
    found = await session.execute(select(uploads.c.state).where(*wanted).order_by(name).limit(limit))
    return [UploadState.model_validate(state) for (state,) in found]


async def hidden_since(session: AsyncSession, since: datetime, after: str, limit: int) -> Sequence[UploadState]:
    """Deleted and removed uploads in the order of their ids."""
    wanted = (uploads.c.status == Status.DELETED.value, uploads.c.hidden_at >= since, uploads.c.upload_id > after)
    found = await session.execute(select(uploads.c.state).where(*wanted).order_by(uploads.c.upload_id).limit(limit))
    return [UploadState.model_validate(state) for (state,) in found]


async def silent(session: AsyncSession, now: datetime, after: timedelta, limit: int) -> Sequence[Owned]:
    """Uploads silent for ``after`` that no sweep is waiting for, longest silent first.

    Unfinished ones, and those that are completed but of which the result of some stage was never heard.
    """
    wanted = or_(text(_UNFINISHED), text(_UNHEARD))
    arrived = or_(uploads.c.generation > 0, uploads.c.expected_until.is_(None), uploads.c.expected_until <= now)
    due = or_(sweeps.c.upload_id.is_(None), sweeps.c.swept_at < uploads.c.updated_at, sweeps.c.next_at <= now)
    statement = (
        select(uploads.c.upload_id, uploads.c.user_id)
        .join(sweeps, sweeps.c.upload_id == uploads.c.upload_id, isouter=True)
        .where(wanted, uploads.c.updated_at < now - after, arrived, due)
        .order_by(uploads.c.updated_at)
        .limit(limit)
    )
    return [Owned(**row) for row in (await session.execute(statement)).mappings()]


async def count_silent(session: AsyncSession, now: datetime, after: timedelta) -> int:
    """How many unfinished uploads nothing was heard of for ``after``."""
    wanted = (text(_UNFINISHED), uploads.c.updated_at < now - after)
    return await session.scalar(select(func.count()).select_from(uploads).where(*wanted)) or 0


async def note_sweep(session: AsyncSession, upload_id: str, now: datetime, first_pause: timedelta) -> int:
    """Counts one more sweep since the upload was last heard of; the next is due after twice the pause. The count."""
    heard_since = (
        select(uploads.c.updated_at).where(uploads.c.upload_id == upload_id).scalar_subquery() > sweeps.c.swept_at
    )
    number = case((heard_since, 1), else_=sweeps.c.sweeps + 1)
    statement = insert(sweeps).values(upload_id=upload_id, sweeps=1, swept_at=now, next_at=now + first_pause)
    again = statement.on_conflict_do_update(
        index_elements=["upload_id"],
        set_={
            "sweeps": number,
            "swept_at": now,
            "next_at": literal(now, DateTime(timezone=True)) + first_pause * func.power(2, number - 1),
        },
    )
    return int(await session.scalar(again.returning(sweeps.c.sweeps)) or 1)


async def forget_sweeps(session: AsyncSession, before: datetime) -> None:
    """Removes what was swept long ago."""
    await session.execute(delete(sweeps).where(sweeps.c.swept_at < before))


async def journal(session: AsyncSession, actor: str, action: str, subjects: Sequence[str]) -> None:
    """Writes down who repaired what."""
    rows = [{"actor": actor, "action": action, "subject": subject} for subject in subjects]
    if rows:
        await session.execute(insert(repairs).values(at=func.now()), rows)


async def forget_journal(session: AsyncSession, before: datetime) -> None:
    """Removes what was repaired long ago."""
    await session.execute(delete(repairs).where(repairs.c.at < before))


async def allowance(session: AsyncSession, action: str, per_minute: int, actor: str | None = None) -> int:
    """How many more repairs of this kind the last minute leaves room for; others wait until the transaction ends.

    Of all who repair so together, or of one ``actor`` alone.
    """
    name = f"repair-{action}" if actor is None else f"repair-{action}-{actor}"
    await session.execute(text("SELECT pg_advisory_xact_lock(hashtext(:name))"), {"name": name})
    recent = [repairs.c.action == action, repairs.c.at > func.now() - timedelta(minutes=1)]
    if actor is not None:
        recent.append(repairs.c.actor == actor)
    used = await session.scalar(select(func.count()).select_from(repairs).where(*recent)) or 0
    return max(per_minute - used, 0)
