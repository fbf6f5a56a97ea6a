"""``POST /api/v1/search/image``: the caller's own pictures and films that look like the one sent."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from hosting.answers import Answer, ApiError
from hosting.app import API_ROOT
from hosting.places import Places
from identity.principal import Caller
from search.answers import ImageAnswer, page_meta
from search.finder import Finder
from search.image_hash import FORMATS, MAX_PIXELS, PictureUnreadable, difference_hash
from search.request import ImageRequest

MAX_PICTURE_BYTES = 10 * 1024 * 1024
_FORM_OVERHEAD_BYTES = 16 * 1024
_OF_A_USER, _IN_ALL = 2, 16
_UPLOAD_TIMEOUT_S = 60.0
_DECODED_AT_ONCE = 2

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
    """Returns the route for searching by a picture."""
    router = APIRouter(prefix=API_ROOT, tags=["search"])
    # Bounds memory: each upload may hold 10 MiB, and then its decoded pixels. Slow senders do not block decoding.
    uploads, decodings = Places("pictures", per_user=_OF_A_USER, in_all=_IN_ALL), asyncio.Semaphore(_DECODED_AT_ONCE)

    @router.post("/search/image", openapi_extra=_BODY, max_body_size=MAX_PICTURE_BYTES + _FORM_OVERHEAD_BYTES)
    async def by_image(
        caller: Caller, request: Request, parameters: Annotated[ImageRequest, Query()]
    ) -> Answer[ImageAnswer]:
        """The caller's pictures and films that look like the one sent."""
        with uploads.one_for(caller.user_id):
            picture = await _received(request)
        async with decodings:
            image_hash = await _image_hash(picture)
        found = await finder.by_image_hash(caller.user_id, image_hash, parameters)
        meta = page_meta(parameters.limit, parameters.offset, len(found.results), found.total)
        return Answer(data=found, meta=meta)

    _ = by_image
    return router


async def _received(request: Request) -> bytes:
    """Returns the picture. Raises ``ApiError`` 408 if it takes too long to arrive."""
    try:
        async with asyncio.timeout(_UPLOAD_TIMEOUT_S):
            return await _picture(request)
    except TimeoutError as error:
        message = f"The picture did not arrive within {_UPLOAD_TIMEOUT_S:.0f} seconds."
        raise ApiError(408, "body_too_slow", message) from error


async def _picture(request: Request) -> bytes:
    """Returns the one file of the form. Raises ``ApiError`` 400."""
    body = await request.body()

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


async def _image_hash(picture: bytes) -> int | None:
    try:
        return await asyncio.to_thread(difference_hash, picture)
    except PictureUnreadable as error:
        most = f"{MAX_PIXELS // 1_000_000} megapixels"
        message = f"Only a whole JPEG, PNG, WebP, GIF or BMP of at most {most} can be searched by."
        raise ApiError(415, "unsupported_format", message, details={"formats": list(FORMATS)}) from error
