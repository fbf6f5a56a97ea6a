"""Queries on uploads: states in and out, rows for reading. Row security shows only the transaction's tenant."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, cast

from sqlalchemy import ColumnElement, bindparam, collate, delete, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.engine import RowMapping
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.artifacts import Kind, UploadRef
from hosting.ranges import Ranges
from upload_gateway.tables import uploads
from upload_gateway.uploads import UploadState, beginning
from upload_gateway.view import Status, UploadView, view

_READ = [column for column in uploads.c if column.name != "state"]
_WRITTEN = [column for column in uploads.c if column.name not in {"upload_id", "updated_at", "changed"}]
# Built once: with forty columns, building and caching one anew takes four times as long as asking it.
_VALUES = {column.name: bindparam(f"new_{column.name}", type_=column.type) for column in _WRITTEN}
_INSERT = (
    insert(uploads).values(_VALUES | {"upload_id": bindparam("key"), "updated_at": func.now()}).on_conflict_do_nothing()
)
_CLAIM = _INSERT.returning(uploads.c.upload_id)
_SAVE = update(uploads).where(uploads.c.upload_id == bindparam("key")).values(_VALUES | {"updated_at": func.now()})
_LOCK = select(uploads.c.state).where(uploads.c.upload_id == bindparam("key")).with_for_update()
_JSON = ("error", "thumbnail", "preview", "storyboard", "properties", "labels", "degradations", "timings", "usage")


class UploadRow(UploadView):
    """An upload as it is read."""

    upload_id: str
    user_id: str
    bucket: str
    object_name: str
    generation: int
    updated_at: datetime


@dataclass(frozen=True)
class ListQuery:
    """Which uploads, in which order. Without ``status`` everything but the deleted ones."""

    limit: int
    offset: int
    sort: str = "-created_at"
    kind: Kind | None = None
    status: Status | None = None
    ranges: Ranges = field(default_factory=Ranges)


_NAME: ColumnElement[str] = collate(func.name_order(uploads.c.filename), "C")

SORTS: Mapping[str, tuple[ColumnElement[Any], ...]] = {
    "-created_at": (uploads.c.created_at.desc(), uploads.c.upload_id),
    "created_at": (uploads.c.created_at, uploads.c.upload_id),
    "-updated_at": (uploads.c.updated_at.desc(), uploads.c.upload_id),
    "filename": (_NAME, uploads.c.upload_id),
    "-filename": (_NAME.desc(), uploads.c.upload_id),
    "size": (uploads.c.size_bytes.asc().nulls_last(), uploads.c.upload_id),
    "-size": (uploads.c.size_bytes.desc().nulls_last(), uploads.c.upload_id),
}


async def lock(session: AsyncSession, upload: UploadRef) -> UploadState | None:
    """The upload's state, its row locked and made first if this is the first that is heard of it.

    None when the row is there but belongs to another user.
    """
    known = await find_for_update(session, upload.upload_id)
    if known is not None:
        return known
    await session.execute(_INSERT, _columns(beginning(upload)))
    return await find_for_update(session, upload.upload_id)


async def find_for_update(session: AsyncSession, upload_id: str) -> UploadState | None:
    """The tenant's upload with its row locked."""
    state = await session.scalar(_LOCK, {"key": upload_id})
    return None if state is None else UploadState.model_validate(state)


async def save(session: AsyncSession, state: UploadState) -> None:
    """Writes a state and every column that follows from it."""
    await session.execute(_SAVE, _columns(state))


async def claim(session: AsyncSession, state: UploadState) -> bool:
    """Makes the row of an upload about to be stored; False when its content is taken already."""
    return await session.scalar(_CLAIM, _columns(state)) is not None


async def find_same_content(session: AsyncSession, user_id: str, sha256: str) -> UploadRow | None:
    """The user's oldest upload of these bytes that is not deleted."""
    statement = (
        select(*_READ)
        .where(uploads.c.user_id == user_id, uploads.c.sha256 == sha256, uploads.c.status != Status.DELETED.value)
        .order_by(uploads.c.created_at)
        .limit(1)
    )
    return _row((await session.execute(statement)).mappings().first())


async def forget_unstored(session: AsyncSession, upload_id: str) -> datetime | None:
    """Removes an upload whose object never became visible; answers when it was made, None when it is not so."""
    statement = delete(uploads).where(uploads.c.upload_id == upload_id, uploads.c.generation == 0)
    return await session.scalar(statement.returning(uploads.c.created_at))


async def find(session: AsyncSession, user_id: str, upload_id: str) -> UploadRow | None:
    """One upload of a user, deleted or not."""
    statement = select(*_READ).where(uploads.c.user_id == user_id, uploads.c.upload_id == upload_id)
    return _row((await session.execute(statement)).mappings().first())


async def find_state(session: AsyncSession, user_id: str, upload_id: str) -> UploadState | None:
    """One upload's whole state, to read."""
    statement = select(uploads.c.state).where(uploads.c.user_id == user_id, uploads.c.upload_id == upload_id)
    state = await session.scalar(statement)
    return None if state is None else UploadState.model_validate(state)


async def rejected(session: AsyncSession, limit: int, offset: int) -> tuple[Sequence[UploadRow], int]:
    """Uploads that belong to nobody we know; the transaction sees them as an operator."""
    await session.execute(text("SELECT set_config('app.role', 'operator', true)"))
    return await _page(session, [uploads.c.ownerless], SORTS["-created_at"], limit, offset)


async def _page(
    session: AsyncSession,
    wanted: Sequence[ColumnElement[bool]],
    order: Sequence[ColumnElement[Any]],
    limit: int,
    offset: int,
) -> tuple[Sequence[UploadRow], int]:
    total = await session.scalar(select(func.count()).select_from(uploads).where(*wanted))
    found = await session.execute(select(*_READ).where(*wanted).order_by(*order).limit(limit).offset(offset))
    return [UploadRow.model_validate(dict(row)) for row in found.mappings()], total or 0


def _row(found: RowMapping | None) -> UploadRow | None:
    return None if found is None else UploadRow.model_validate(dict(found))


def _columns(state: UploadState) -> dict[str, Any]:
    seen = view(state, datetime.now(UTC))
    plain = seen.model_dump(exclude=set(_JSON)) | seen.model_dump(mode="json", include=set(_JSON))
    plain |= {
        "user_id": state.user_id,
        "bucket": state.bucket,
        "object_name": state.object_name,
        "generation": state.generation,
        "state": state.model_dump(mode="json", exclude_none=True),
    }
    return {"key": state.upload_id} | {f"new_{name}": _storable(value) for name, value in plain.items()}


def _storable(value: Any) -> Any:
    """Postgres holds no NUL character, in text or JSON."""
    if isinstance(value, str):
        return value.replace("\x00", "\ufffd")
    if isinstance(value, Mapping):
        return {_storable(k): _storable(v) for k, v in cast("Mapping[str, Any]", value).items()}
    if isinstance(value, list):
        return [_storable(item) for item in cast("list[Any]", value)]
    return value
