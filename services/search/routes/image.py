"""``POST /api/v1/search/image``: the caller's own pictures and films that look like the one sent."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from hosting.answers import Answer, ApiError
from hosting.app import API_ROOT
from identity.principal import Caller
from search.answers import ImageAnswer
from search.finder import Finder
from search.looks import FORMATS, MAX_PIXELS, PictureUnreadable, look_of
from search.request import ImageRequest
from search.routes.bodies import read_body

MAX_PICTURE_BYTES = 10 * 1024 * 1024
_AROUND_IT = 16 * 1024
_SENT_AT_ONCE = 8
_SENT_WITHIN_S = 60.0
_LOOKED_AT_AT_ONCE = 2

_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {"file": {"type": "string", "format": "binary"}},
                }
            }
        },
    }
}


def image_router(finder: Finder) -> APIRouter:
    """Searching by a picture."""
    router = APIRouter(prefix=API_ROOT, tags=["search"])
    # Each may hold a picture of 10 MiB, and then its decoded pixels; who sends slowly is in nobody's way.
    sending, turns = asyncio.Semaphore(_SENT_AT_ONCE), asyncio.Semaphore(_LOOKED_AT_AT_ONCE)

    @router.post("/search/image", openapi_extra=_BODY)
    async def by_image(
        caller: Caller, request: Request, wanted: Annotated[ImageRequest, Query()]
    ) -> Answer[ImageAnswer]:
        """The caller's pictures and films that look like the one sent."""
        async with sending:
            picture = await _sent(request)
        async with turns:
            look = await _look(picture)
        found = await finder.by_look(caller.user_id, look, wanted)
        has_more = wanted.offset + len(found.results) < found.total and bool(found.results)
        meta = {"limit": wanted.limit, "offset": wanted.offset, "total": found.total, "has_more": has_more}
        return Answer(data=found, meta=meta)

    _ = by_image
    return router


async def _sent(request: Request) -> bytes:
    """The picture. Raises ``ApiError`` 408 when it takes too long to come."""
    try:
        async with asyncio.timeout(_SENT_WITHIN_S):
            return await _picture(request)
    except TimeoutError as error:
        message = f"The picture did not arrive within {_SENT_WITHIN_S:.0f} seconds."
        raise ApiError(408, "body_too_slow", message) from error


async def _picture(request: Request) -> bytes:
    """The form's one file. Raises ``ApiError`` 400, 413 or 422."""
    body = await read_body(request, MAX_PICTURE_BYTES + _AROUND_IT)

    async def once() -> AsyncGenerator[bytes, None]:
        yield body

    if not request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        raise ApiError(400, "bad_multipart", "The picture must come as multipart/form-data, in the field file.")
    try:
        form = await MultiPartParser(request.headers, once(), max_files=1, max_fields=4).parse()
    except (MultiPartException, KeyError, UnicodeDecodeError) as error:
        raise ApiError(400, "bad_multipart", "The form cannot be read.") from error
    try:
        file = form.get("file")
        content = await file.read() if isinstance(file, UploadFile) else b""
    finally:
        await form.close()
    if not content:
        raise ApiError(400, "bad_multipart", "There is no picture in the field file.")
    return content


async def _look(picture: bytes) -> int | None:
    try:
        return await asyncio.to_thread(look_of, picture)
    except PictureUnreadable as error:
        message = f"Only whole pictures of at most {MAX_PIXELS // 1_000_000} megapixels can be searched by."
        raise ApiError(415, "unsupported_format", message, details={"formats": list(FORMATS)}) from error
