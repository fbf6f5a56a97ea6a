"""``GET /api/v1/file/{upload_id}/text``."""

import re
from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel

from contracts.identifiers import UPLOAD_ID_PATTERN
from database.engine import Database
from hosting.answers import Answer, not_found, written
from hosting.app import API_ROOT
from identity.principal import Caller
from search.file_text import TextPart, parts_of
from search.store.file_text import passages_of

_LAST = 2**31 - 1


class FileText(BaseModel):
    """Go on with ``after`` = ``next`` until null."""

    parts: list[TextPart]
    next: int | None


def file_text_router(database: Database) -> APIRouter:
    """Returns the route for reading a file's text."""
    router = APIRouter(prefix=API_ROOT, tags=["search"])

    @router.get("/file/{upload_id}/text", response_model=Answer[FileText])
    async def file_text(
        caller: Caller,
        upload_id: str,
        after: Annotated[int, Query(ge=-1, le=_LAST)] = -1,
        limit: Annotated[int, Query(ge=1, le=200)] = 100,
    ) -> Response:
        """What is written or said in one of the caller's files, in its order, ``limit`` passages at a time.

        Of very long files it is what search knows of them (10,000 passages, spread over the whole).
        """
        if not re.fullmatch(UPLOAD_ID_PATTERN, upload_id):
            raise not_found("file")
        async with database.reading(caller.user_id) as reading:
            passages = await passages_of(reading, caller.user_id, upload_id, after=after, limit=limit + 1)
        if passages is None:
            raise not_found("file")
        shown = passages[:limit]
        goes_on = len(passages) > limit
        return written(Answer(data=FileText(parts=parts_of(shown), next=shown[-1].ordinal if goes_on else None)))

    _ = file_text
    return router
