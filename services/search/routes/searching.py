"""``POST /api/v1/search`` and ``GET /api/v1/file/{upload_id}/similar``."""

import re
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from contracts.identifiers import UPLOAD_ID_PATTERN
from hosting.answers import Answer, not_found, written
from hosting.app import API_ROOT
from identity.principal import Caller
from search.answers import SearchAnswer, SimilarAnswer, page_meta
from search.finder import Finder
from search.request import SearchRequest
from search.routes.bodies import declared, read_model


def search_router(finder: Finder) -> APIRouter:
    """Returns the routes for searching by a query and by a file."""
    router = APIRouter(prefix=API_ROOT, tags=["search"])

    @router.post("/search", openapi_extra=declared(SearchRequest), response_model=Answer[SearchAnswer])
    async def search(caller: Caller, request: Request) -> Response:
        """The best matching files, each with its best moments; the first page is added to the history."""
        body = await read_model(request, SearchRequest)
        found = await finder.find(caller.user_id, body)
        meta = page_meta(body.limit, body.offset, len(found.results), found.total) | {
            "total_relation": found.total_relation,
            "cached": found.cached,
            "degraded": found.degraded,
            "processing": found.processing,
        }
        return written(Answer(data=found, meta=meta))

    @router.get("/file/{upload_id}/similar")
    async def similar(
        caller: Caller, upload_id: str, limit: Annotated[int, Query(ge=1, le=100)] = 20
    ) -> Answer[SimilarAnswer]:
        """The files nearest in meaning to one of the caller's own."""
        if not re.fullmatch(UPLOAD_ID_PATTERN, upload_id):
            raise not_found("file")
        return Answer(data=await finder.similar(caller.user_id, upload_id, limit))

    _ = (search, similar)
    return router
