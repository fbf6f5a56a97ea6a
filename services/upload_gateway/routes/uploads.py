"""``GET /uploads``: the caller's files, a page at a time."""

from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import Response
from pydantic import Field

from contracts.artifacts import Kind
from hosting.answers import Answer, written
from hosting.app import API_ROOT
from hosting.ranges import Ranges
from identity.principal import Caller
from upload_gateway.resources import Gateway
from upload_gateway.routes.errors import refusals
from upload_gateway.routes.representations import UploadShown, listed
from upload_gateway.store import reading
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


class ListWish(Ranges):
    """Which uploads, in which order, and which of them."""

    limit: int = Field(default=20, ge=1, le=100)
    offset: int = Field(default=0, ge=0, le=1_000_000)
    file_type: Kind | None = None
    status: Status | None = None
    sort: Sort = Sort.NEWEST


@router.get("/uploads", response_model=Answer[list[UploadShown]], responses=refusals("invalid_request"))
async def list_uploads(caller: Caller, gateway: Gateway, wish: Annotated[ListWish, Query()]) -> Response:
    """Deleted uploads are shown only when asked for by ``status=deleted``."""
    query = ListQuery(
        limit=wish.limit,
        offset=wish.offset,
        sort=wish.sort.value,
        kind=wish.file_type,
        status=wish.status,
        ranges=wish,
    )
    rows, total = await reading.page(gateway.database, caller.user_id, query)
    meta = page_meta(total, wish.limit, wish.offset, len(rows))
    return written(Answer(data=[listed(row) for row in rows], meta=meta))


def page_meta(total: int, limit: int, offset: int, held: int) -> dict[str, int | bool]:
    """``meta`` of a list."""
    return {"total": total, "limit": limit, "offset": offset, "has_more": offset + held < total}
