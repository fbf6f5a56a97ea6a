"""``GET /uploads``: the caller's files, a page at a time."""

from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Query

from contracts.artifacts import Kind
from hosting.answers import Answer
from hosting.app import API_ROOT
from identity.principal import Caller
from upload_gateway.resources import Gateway
from upload_gateway.routes.representations import UploadShown, shown
from upload_gateway.store import uploads
from upload_gateway.store.uploads import ListQuery
from upload_gateway.view import Status

router = APIRouter(prefix=API_ROOT, tags=["uploads"])

Limit = Annotated[int, Query(ge=1, le=100)]
Offset = Annotated[int, Query(ge=0, le=1_000_000)]


class Sort(StrEnum):
    """Orders of a list; ``-`` is descending."""

    NEWEST = "-created_at"
    OLDEST = "created_at"
    CHANGED = "-updated_at"
    FILENAME = "filename"
    FILENAME_DESCENDING = "-filename"
    SMALLEST = "size"
    LARGEST = "-size"


@router.get("/uploads")
async def list_uploads(
    caller: Caller,
    gateway: Gateway,
    limit: Limit = 20,
    offset: Offset = 0,
    file_type: Kind | None = None,
    status: Status | None = None,
    sort: Sort = Sort.NEWEST,
) -> Answer[list[UploadShown]]:
    """Deleted uploads are shown only when asked for by ``status=deleted``."""
    query = ListQuery(limit=limit, offset=offset, sort=sort.value, kind=file_type, status=status)
    async with gateway.database.transaction(caller.user_id) as session:
        rows, total = await uploads.page(session, caller.user_id, query)
    return Answer(data=[shown(row) for row in rows], meta=page_meta(total, limit, offset, len(rows)))


def page_meta(total: int, limit: int, offset: int, held: int) -> dict[str, int | bool]:
    """``meta`` of a list."""
    return {"total": total, "limit": limit, "offset": offset, "has_more": offset + held < total}
