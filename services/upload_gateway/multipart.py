"""Turns the stream of a multipart/form-data request into one file's chunks and its few small fields.

Nothing is kept but the chunk at hand: the caller pulls, the parser pushes, neither spools.
"""

import asyncio
import re
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote

from python_multipart import MultipartParser
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import parse_options_header
from starlette.requests import ClientDisconnect

from hosting.answers import ApiError
from hosting.sizes import in_mebibytes

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

FILE_FIELD = "file"
METADATA_FIELD = "metadata"
MAX_FIELD_BYTES = 8 * 1024
MAX_PARTS = 16
MAX_DRAINED_BYTES = 4 * 1024 * 1024
SILENCE_S = 60.0
"""How long a sender may send nothing: what has come is held meanwhile."""
DRAINED_FOR_S = 10.0
"""How long a refused request is listened to; its answer may arrive without that too."""
_PARAMETER = re.compile(r';[ \t]*([^=; \t]+)[ \t]*=[ \t]*("(?:[^"\\]|\\.)*"|[^;]*)')


@dataclass(frozen=True)
class FileHeaders:
    """What the client says about its file; nothing of it is trusted."""

    filename: str
    media_type: str | None


def boundary_of(content_type: str | None) -> bytes:
    """The boundary in a Content-Type header; 400 when it is none of ours."""
    media_type, options = parse_options_header(content_type)
    boundary = options.get(b"boundary")
    if media_type != b"multipart/form-data" or not boundary:
        raise bad_multipart("Send the file as multipart/form-data.")
    return boundary


def bad_multipart(message: str) -> ApiError:
    """400: the body is not what its headers promise."""
    return ApiError(400, "bad_multipart", message)


async def drain(stream: AsyncIterator[bytes]) -> None:
    """Reads what little is left of a refused request, so that the client gets to see the answer."""
    left = MAX_DRAINED_BYTES
    with suppress(ClientDisconnect, TimeoutError):
        async with asyncio.timeout(DRAINED_FOR_S):
            while left > 0 and (piece := await anext(stream, None)) is not None:
                left -= len(piece)


class MultipartUpload:
    """One upload request. First ``open``, then ``chunks`` to the end, then ``fields`` are complete."""

    def __init__(self, stream: AsyncIterator[bytes], boundary: bytes, max_file_bytes: int) -> None:
        self._stream = stream
        self._max_file_bytes = max_file_bytes
        self._parts = _Parts()
        try:
            self._parser = MultipartParser(boundary, self._parts.callbacks())
        except FormParserError as error:
            raise bad_multipart("The boundary is too long.") from error

    @property
    def fields(self) -> dict[str, bytes]:
        """The other fields seen so far, as raw bytes."""
        return {name: bytes(value) for name, value in self._parts.fields.items()}

    async def open(self, enough_bytes: int) -> tuple[FileHeaders, bytes]:
        """Reads until the file's headers and first ``enough_bytes`` (or all of it) are known; they stay to be read."""
        parts = self._parts
        while not parts.file_ended and parts.file_bytes_waiting < enough_bytes:
            if not await self._advance():
                break
        if parts.file is None:
            raise bad_multipart(f"There is no file in the field “{FILE_FIELD}”.")
        return parts.file, b"".join(parts.file_data)[:enough_bytes]

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """The file's bytes. Ends when the whole request has been read; 400, 413 when it is not as promised."""
        size = 0
        while True:
            chunk = self._parts.take()
            size += len(chunk)
            if size > self._max_file_bytes:
                raise too_large(self._max_file_bytes)
            if chunk:
                yield chunk
            if not await self._advance():
                return

    async def drain(self) -> None:
        """See :func:`drain`."""
        await drain(self._stream)

    async def _advance(self) -> bool:
        """Pushes one more piece of the request into the parser; False at its proper end."""
        piece = await self._piece()
        if piece is None:
            if not self._parts.ended:
                raise bad_multipart("The body ends in the middle of a part.")
            return False
        try:
            self._parser.write(piece)
        except FormParserError as error:
            raise bad_multipart("The body is not well-formed multipart/form-data.") from error
        return True

    async def _piece(self) -> bytes | None:
        """What comes next of the request; None at its end. 400 when the sender has gone, 408 when it falls silent."""
        try:
            async with asyncio.timeout(SILENCE_S):
                return await anext(self._stream, None)
        except ClientDisconnect as error:
            raise ApiError(400, "incomplete_body", "The connection ended before the file did.") from error
        except TimeoutError as error:
            message = f"Nothing of the file arrived for {SILENCE_S:.0f} seconds."
            raise ApiError(408, "body_too_slow", message, headers={"Connection": "close"}) from error


def too_large(max_file_bytes: int) -> ApiError:
    """413 with the limit."""
    return ApiError(
        413,
        "file_size",
        f"The file is larger than {in_mebibytes(max_file_bytes)}.",
        details={"max_bytes": max_file_bytes},
        headers={"Connection": "close"},
    )


def too_long(field: str) -> ApiError:
    """422 for a field other than the file."""
    code = "invalid_metadata" if field == METADATA_FIELD else "invalid_request"
    return ApiError(422, code, f"“{field[:80]}” is longer than {MAX_FIELD_BYTES // 1024} KiB.")


class _Parts:
    """What the parser pushes: the file's headers and data, and the other fields."""

    def __init__(self) -> None:
        self.file: FileHeaders | None = None
        self.file_ended = False
        self.ended = False
        self.file_data: list[bytes] = []
        self.file_bytes_waiting = 0
        self.fields: dict[str, bytearray] = {}
        self._headers: dict[str, str] = {}
        self._field = bytearray()
        self._value = bytearray()
        self._count = 0
        self._open: bytearray | None = None
        self._name = ""

    def callbacks(self) -> "MultipartCallbacks":
        return {
            "on_part_begin": self._begin,
            "on_header_field": lambda data, start, end: self._field.extend(data[start:end]),
            "on_header_value": lambda data, start, end: self._value.extend(data[start:end]),
            "on_header_end": self._header,
            "on_headers_finished": self._start,
            "on_part_data": self._data,
            "on_part_end": self._end,
            "on_end": self._finish,
        }

    def take(self) -> bytes:
        chunk = b"".join(self.file_data)
        self.file_data.clear()
        self.file_bytes_waiting = 0
        return chunk

    def _begin(self) -> None:
        self._count += 1
        if self._count > MAX_PARTS:
            raise bad_multipart("The request has too many parts.")
        self._headers = {}
        self._open = None

    def _header(self) -> None:
        self._headers[self._field.decode("latin-1").lower()] = self._value.decode("latin-1").strip()
        self._field.clear()
        self._value.clear()

    def _start(self) -> None:
        disposition = self._headers.get("content-disposition", "")
        _, options = parse_options_header(disposition)
        name = options.get(b"name", b"").decode(errors="replace")
        filename = _filename(disposition, options.get(b"filename"))
        if name == FILE_FIELD and filename is not None:
            if self.file is not None:
                raise bad_multipart("Send one file per request.")
            self.file = FileHeaders(filename, self._headers.get("content-type"))
        else:
            self._name, self._open = name, self.fields.setdefault(name, bytearray())

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._open is None:
            self.file_data.append(data[start:end])
            self.file_bytes_waiting += end - start
            return
        self._open += data[start:end]
        if len(self._open) > MAX_FIELD_BYTES:
            raise too_long(self._name)

    def _end(self) -> None:
        if self._open is None:
            self.file_ended = True

    def _finish(self) -> None:
        self.ended = True


def _filename(disposition: str, plain: bytes | None) -> str | None:
    """The name as ``filename*`` has it, if it does, else as ``filename``.

    The standard of forms does without ``filename*``, and so does the parser; .NET's client writes names of other
    scripts there, and into ``filename`` what only mail programs understand.
    """
    for name, value in _PARAMETER.findall(disposition):
        charset, _, rest = value.strip('" \t').partition("'")
        if name.lower() == "filename*" and charset.lower() == "utf-8" and (encoded := rest.partition("'")[2]):
            return unquote(encoded, errors="replace")
    return None if plain is None else plain.decode(errors="replace").replace("%22", '"')
