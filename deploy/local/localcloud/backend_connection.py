"""One HTTP/1.1 request to a backend as bytes on a new connection, and its response as a head and body chunks.

A connection serves one request: on loopback opening one costs a fraction of a millisecond, and nothing can be sent
into a connection the backend is about to close.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httptools

from localcloud.ports import LOOPBACK

Headers = list[tuple[bytes, bytes]]

_READ_BYTES = 256 * 1024
_BODYLESS = frozenset({204, 304})


class BackendDownError(Exception):
    """Nobody listens there."""


class BackendBrokeError(Exception):
    """The backend closed the connection, or sent something else than HTTP, before its answer was complete."""


@dataclass(frozen=True)
class ResponseHead:
    """Status and headers of an answer, as received."""

    status: int
    headers: Headers


class _Parser:
    """Collects what httptools calls back with; interim answers (100) are noted and left out."""

    def __init__(self) -> None:
        self.head: ResponseHead | None = None
        self.continued = False
        self.complete = False
        self.chunks: list[bytes] = []
        self._headers: Headers = []
        self._parser = httptools.HttpResponseParser(self)

    def feed(self, data: bytes) -> None:
        """Takes what was read; an empty read means the backend has closed."""
        try:
            if data:
                self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            raise BackendBrokeError("it did not answer in HTTP") from error
        if not data and not self._ends_by_closing():
            raise BackendBrokeError("it closed the connection before its answer was complete")
        self.complete = self.complete or not data

    def on_header(self, name: bytes, value: bytes) -> None:
        """httptools."""
        self._headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        """httptools."""
        status = self._parser.get_status_code()
        if status >= 200:
            self.head = ResponseHead(status, self._headers)
        else:
            self.continued = True
        self._headers = []

    def on_body(self, chunk: bytes) -> None:
        """httptools."""
        self.chunks.append(chunk)

    def on_message_complete(self) -> None:
        """httptools; also called for interim answers."""
        self.complete = self.head is not None

    def _ends_by_closing(self) -> bool:
        names = {name for name, _ in self.head.headers} if self.head else {b"content-length"}
        return self.complete or not names & {b"content-length", b"transfer-encoding"}


class BackendConnection:
    """A request under way. Body and answer move independently: an answer may come before the body has been sent."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, head_only: bool) -> None:
        self._reader = reader
        self._writer = writer
        self._parser = _Parser()
        self._head_only = head_only
        self._chunked = False
        self.may_continue = asyncio.Event()
        """Set when the backend asked for the body of a request that had said ``Expect: 100-continue``."""

    def send_head(self, method: str, target: bytes, headers: Headers) -> None:
        """Sends the request line and headers; these decide how the body is framed."""
        self._chunked = any(name == b"transfer-encoding" for name, _ in headers)
        lines = [b"%s %s HTTP/1.1\r\n" % (method.encode("ascii"), target)]
        lines += [b"%s: %s\r\n" % header for header in headers]
        # Not “connection: close”: a backend that has answered before the body's end would close, and what it has not
        # read by then resets the connection, on which its answer may be lost.
        self._writer.write(b"".join((*lines, b"\r\n")))

    async def send_body(self, data: bytes) -> None:
        """Sends a piece of the body, not faster than the backend takes it."""
        if data:
            self._writer.write(b"%x\r\n%b\r\n" % (len(data), data) if self._chunked else data)
            await self._writer.drain()

    def end_body(self) -> None:
        """The body is complete."""
        if self._chunked:
            self._writer.write(b"0\r\n\r\n")

    async def head(self) -> ResponseHead:
        """The answer's head; raises :class:`BackendBrokeError`."""
        while self._parser.head is None:
            await self._read()
        return self._parser.head

    async def body(self) -> AsyncGenerator[bytes]:
        """The answer's body as it comes; raises :class:`BackendBrokeError` when it is cut short."""
        head = await self.head()
        if self._head_only or head.status in _BODYLESS:
            return
        while True:
            chunks, self._parser.chunks = self._parser.chunks, []
            if chunks:
                yield b"".join(chunks)
            elif self._parser.complete:
                return
            else:
                await self._read()

    async def _read(self) -> None:
        try:
            data = await self._reader.read(_READ_BYTES)
        except OSError as error:
            raise BackendBrokeError("it closed the connection before its answer was complete") from error
        self._parser.feed(data)
        if self._parser.continued:
            self.may_continue.set()


@asynccontextmanager
async def connect(port: int, *, head_only: bool = False) -> AsyncGenerator[BackendConnection]:
    """A connection to the backend on ``port``; raises :class:`BackendDownError`. ``head_only`` for HEAD requests."""
    try:
        reader, writer = await asyncio.open_connection(LOOPBACK, port, limit=_READ_BYTES)
    except OSError as error:
        raise BackendDownError(str(error)) from error
    try:
        yield BackendConnection(reader, writer, head_only=head_only)
    finally:
        # Not closed but aborted: what is still on its way to a backend that has answered is not wanted any more.
        writer.transport.abort()
