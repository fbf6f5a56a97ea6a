"""The reads asked most, by statements compiled once: one upload, one with its state, a page of a user's uploads."""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import BigInteger, DateTime, Text, bindparam, cast, func, or_, select

from database.engine import Database
from database.reading import Prepared, prepared
from upload_gateway.stages import History
from upload_gateway.store.uploads import SORTS, ListQuery
from upload_gateway.tables import uploads
from upload_gateway.view import Failure, Status


class ListedUpload(NamedTuple):
    """What a list shows of an upload; of its pictures only whether they are there. ``total`` counts the whole list.

    As it comes from the database, which holds nothing that was not checked when it was written.
    """

    upload_id: str
    filename: str
    kind: str | None
    media_type: str | None
    size_bytes: int | None
    generation: int
    status: str
    stage: str
    progress: int
    error: Failure | None
    title: str | None
    summary: str | None
    labels: Sequence[str]
    thumbnail: bool
    preview: bool
    attempts: int
    trace_id: str | None
    created_at: datetime
    updated_at: datetime
    hidden_at: datetime | None
    total: int


class FoundUpload(NamedTuple):
    """One upload, in the same way; what the database keeps as JSON is plain data."""

    upload_id: str
    bucket: str
    object_name: str
    generation: int
    filename: str
    kind: str | None
    media_type: str | None
    size_bytes: int | None
    sha256: str | None
    status: str
    stage: str
    progress: int
    error: Failure | None
    trace_id: str | None
    thumbnail: dict[str, Any] | None
    preview: dict[str, Any] | None
    storyboard: dict[str, Any] | None
    properties: dict[str, Any] | None
    title: str | None
    summary: str | None
    labels: Sequence[str]
    language: str | None
    degradations: Sequence[dict[str, Any]]
    timings: dict[str, float]
    processing_s: float | None
    attempts: int
    usage: dict[str, Any]
    hidden_at: datetime | None
    created_at: datetime
    updated_at: datetime


UploadT = TypeVar("UploadT", ListedUpload, FoundUpload)

_TABLE = "uploads"
_FOUND = [uploads.c[name] for name in FoundUpload._fields]
_PICTURES = ("thumbnail", "preview")
_LISTED = [
    uploads.c[name].is_not(None).label(name) if name in _PICTURES else uploads.c[name]
    for name in ListedUpload._fields
    if name != "total"
]
_MINE = uploads.c.user_id == bindparam("user_id", type_=Text)
_FROM, _BEFORE = (bindparam(name, type_=DateTime(timezone=True)) for name in ("created_from", "created_before"))
_LEAST, _MOST = (bindparam(name, type_=BigInteger) for name in ("min_bytes", "max_bytes"))
_WITHIN = [
    or_(_FROM.is_(None), uploads.c.created_at >= _FROM),
    or_(_BEFORE.is_(None), uploads.c.created_at < _BEFORE),
    or_(_LEAST.is_(None), uploads.c.size_bytes >= _LEAST),
    or_(_MOST.is_(None), uploads.c.size_bytes <= _MOST),
]
_THIS = uploads.c.upload_id == bindparam("upload_id", type_=Text)


async def find(database: Database, user_id: str, upload_id: str) -> FoundUpload | None:
    """One upload of a user, deleted or not."""
    rows = await database.read(user_id, _one(), {"user_id": user_id, "upload_id": upload_id})
    return _found(rows[0]) if rows else None


async def find_whole(database: Database, user_id: str, upload_id: str) -> tuple[FoundUpload, History] | None:
    """One upload of a user, deleted or not, with what its stages did."""
    rows = await database.read(user_id, _one_whole(), {"user_id": user_id, "upload_id": upload_id})
    if not rows:
        return None
    return _found(rows[0]), History.model_validate_json(rows[0]["state"])


async def page(database: Database, user_id: str, query: ListQuery) -> tuple[Sequence[ListedUpload], int]:
    """One page of a user's uploads and how many there are in all."""
    ranges = {
        "created_from": query.ranges.created_from,
        "created_before": query.ranges.created_before,
        "min_bytes": query.ranges.min_bytes,
        "max_bytes": query.ranges.max_bytes,
    }
    limited = any(bound is not None for bound in ranges.values())
    listed, counted = _page(query.sort, query.kind is not None, query.status is not None, limited)
    values = {
        **ranges,
        "user_id": user_id,
        "status": (query.status or Status.DELETED).value,
        "kind": query.kind.value if query.kind else None,
        "most": query.limit,
        "skipped": query.offset,
    }
    rows = await database.read(user_id, listed, values)
    known = rows or await database.read(user_id, counted, values)  # no row to tell it where the page is past the end
    return [_failure_read(ListedUpload._make(row.values())) for row in rows], known[0]["total"]


def _found(row: Any) -> FoundUpload:
    return _failure_read(FoundUpload._make(row[: len(FoundUpload._fields)]))


def _failure_read(upload: UploadT) -> UploadT:
    return upload._replace(error=Failure.model_validate(upload.error)) if upload.error else upload


@cache
def _one() -> Prepared:
    return prepared(select(*_FOUND).where(_MINE, _THIS), _TABLE)


@cache
def _one_whole() -> Prepared:
    # As text, which becomes a history without becoming dictionaries first.
    return prepared(select(*_FOUND, cast(uploads.c.state, Text).label("state")).where(_MINE, _THIS), _TABLE)


@cache
def _page(sort: str, by_kind: bool, by_status: bool, limited: bool) -> tuple[Prepared, Prepared]:
    """One form for each way to ask; there are a few dozen."""
    status = bindparam("status", type_=Text)
    # What cannot be brought back is in no list any more; its row only remembers that it was here.
    listed_at_all = [uploads.c.status == status, ~uploads.c.bytes_gone] if by_status else [uploads.c.status != status]
    wanted = [_MINE, *listed_at_all]
    if by_kind:
        wanted.append(uploads.c.kind == bindparam("kind", type_=Text))
    if limited:
        wanted += _WITHIN
    counted = select(func.count().label("total")).select_from(uploads).where(*wanted)
    listed = select(*_LISTED, counted.scalar_subquery().label("total")).where(*wanted).order_by(*SORTS[sort])
    listed = listed.limit(bindparam("most", type_=BigInteger)).offset(bindparam("skipped", type_=BigInteger))
    return prepared(listed, _TABLE), prepared(counted, _TABLE)
