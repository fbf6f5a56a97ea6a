"""A stored object into an HTTP answer: whole or a range, from disk block by block, gunzipped where the
client does not take gzip."""

import asyncio
import zlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import BinaryIO
from urllib.parse import quote

from starlette.responses import Response, StreamingResponse

from localcloud.storage.bodies import BLOCK_BYTES
from localcloud.storage.model import StoredObject
from localcloud.storage.object_rows import ObjectKey
from localcloud.storage.object_store import ObjectStore
from localcloud.storage.preconditions import Preconditions
from localcloud.storage.ranges import Span, requested_span
from localcloud.storage.resources import etag

_GZIP_WINDOW = 16 + zlib.MAX_WBITS


@dataclass(frozen=True)
class DownloadRequest:
    """What of an object to send; `overrides` replace headers of the answer (signed URLs)."""

    key: ObjectKey
    conditions: Preconditions
    headers: dict[str, str]
    head: bool = False
    overrides: dict[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True)
class _Opened:
    stored: StoredObject
    unchanged: bool
    gunzip: bool
    span: Span | None
    small: bytes | None
    file: BinaryIO


async def download(objects: ObjectStore, request: DownloadRequest) -> Response:
    """The answer, 304 to who has these very bytes; 404, 412, 416 and the 304 of conditions as `StorageError`."""
    opened = await asyncio.to_thread(_open, objects, request)
    headers = {**_headers(opened.stored), **request.overrides}
    if opened.unchanged:
        return Response(None, 304, {name: headers[name] for name in ("ETag", "Cache-Control")})
    if opened.gunzip:
        headers["Warning"] = "214 UploadServer gunzipped"
        headers.pop("Content-Encoding", None)
        if request.head:
            return Response(None, 200, headers)
        return StreamingResponse(_gunzipped(opened.file), 200, headers)
    size = opened.stored.body.size
    span = opened.span or Span(0, size)
    headers["Content-Length"] = str(span.length)
    if opened.span is not None:
        headers["Content-Range"] = f"bytes {span.first}-{span.first + span.length - 1}/{size}"
    status = 200 if opened.span is None else 206
    if opened.small is not None or request.head:
        return Response(opened.small, status, headers)
    return StreamingResponse(_blocks(opened.file, span), status, headers)


def _open(objects: ObjectStore, request: DownloadRequest) -> _Opened:
    stored, file = objects.open(request.key, request.conditions)
    try:
        unchanged = _is_held(stored, request.headers)
        gunzip = not unchanged and _is_gunzipped(stored, request.headers)
        span = None if gunzip or unchanged else requested_span(request.headers.get("range"), stored.body.size)
        wanted = span or Span(0, stored.body.size)
        small = None
        if not gunzip and not unchanged and not request.head and wanted.length <= BLOCK_BYTES:
            file.seek(wanted.first)
            small = file.read(wanted.length)
    except BaseException:
        file.close()
        raise
    if small is not None or request.head or unchanged:
        file.close()
    return _Opened(stored, unchanged, gunzip, span, small, file)


def _is_held(stored: StoredObject, headers: dict[str, str]) -> bool:
    """Whether ``If-None-Match`` names the object as it is, or any."""
    held = [tag.strip().removeprefix("W/") for tag in headers.get("if-none-match", "").split(",")]
    return f'"{etag(stored.generation, stored.metageneration)}"' in held or held == ["*"]


def _is_gunzipped(stored: StoredObject, headers: dict[str, str]) -> bool:
    attributes = stored.attributes
    accepts = "gzip" in headers.get("accept-encoding", "")
    transforms = "no-transform" not in (attributes.cache_control or "")
    return attributes.content_encoding == "gzip" and transforms and not accepts


async def _blocks(file: BinaryIO, span: Span) -> AsyncIterator[bytes]:
    left = span.length
    with file:
        file.seek(span.first)
        while left and (block := await asyncio.to_thread(file.read, min(BLOCK_BYTES, left))):
            left -= len(block)
            yield block


async def _gunzipped(file: BinaryIO) -> AsyncIterator[bytes]:
    with file:
        inflate = zlib.decompressobj(_GZIP_WINDOW)
        while not inflate.eof:
            packed = inflate.unconsumed_tail or await asyncio.to_thread(file.read, BLOCK_BYTES)
            if not packed:
                return
            # Bounded output: a few kilobytes can unpack to gigabytes.
            yield await asyncio.to_thread(inflate.decompress, packed, BLOCK_BYTES)


def _headers(stored: StoredObject) -> dict[str, str]:
    body, attributes = stored.body, stored.attributes
    hashes = f"crc32c={body.crc32c}" + (f",md5={body.md5}" if body.md5 else "")
    headers = {
        "Content-Type": attributes.content_type or "application/octet-stream",
        "Content-Encoding": attributes.content_encoding,
        "Content-Disposition": attributes.content_disposition,
        "Content-Language": attributes.content_language,
        "Cache-Control": attributes.cache_control or "private, max-age=0",
        "ETag": f'"{etag(stored.generation, stored.metageneration)}"',
        "Accept-Ranges": "bytes",
        "X-Goog-Hash": hashes,
        "X-Goog-Generation": str(stored.generation),
        "X-Goog-Metageneration": str(stored.metageneration),
        "X-Goog-Storage-Class": attributes.storage_class,
        "X-Goog-Stored-Content-Length": str(body.size),
        "X-Goog-Stored-Content-Encoding": attributes.content_encoding or "identity",
    }
    headers |= {f"X-Goog-Meta-{key}": text for key, text in (attributes.metadata or {}).items() if _is_token(key)}
    return {name: header_text(text) for name, text in headers.items() if text is not None}


def header_text(text: str) -> str:
    """Text that can stand in a header: what is not printable ASCII is percent-encoded."""
    return text if text.isascii() and text.isprintable() else quote(text, safe=" !\"#$&'()*+,/:;<=>?@[\\]^`{|}%")


def _is_token(key: str) -> bool:
    return key.isascii() and all(char.isalnum() or char in "!#$%&'*+-.^_`|~" for char in key)
