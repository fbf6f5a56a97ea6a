"""A connection that asks to become a WebSocket, spliced to its backend: bytes pass both ways, nothing is interpreted.

uvicorn hands such a connection over with its request head as sent; the backend answers the handshake itself, so a
refusal reaches the client as the backend worded it.
"""

import asyncio
from collections.abc import Callable, Collection, Coroutine
from contextlib import suppress
from typing import Protocol

_PIECE = 64 * 1024
_HEAD_END = b"\r\n\r\n"
_AWAY = b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


class ServerState(Protocol):
    """What is used of uvicorn's."""

    connections: set[asyncio.Protocol]


class WebSocketSplice(asyncio.StreamReaderProtocol):
    """For uvicorn's ``ws``: ``backend_of`` tells the port for a path; ``dropped`` headers are ours to set."""

    def __init__(
        self, state: ServerState, backend_of: Callable[[str], int], host: str, dropped: Collection[bytes]
    ) -> None:
        super().__init__(asyncio.StreamReader(limit=_PIECE), self._connected)
        self._state = state
        self._backend_of = backend_of
        self._host = host
        self._dropped = dropped
        self._splicing: asyncio.Task[None] | None = None
        self._transport: asyncio.BaseTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """asyncio."""
        self._transport = transport
        self._state.connections.add(self)
        super().connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """asyncio."""
        self._state.connections.discard(self)
        super().connection_lost(exc)

    def shutdown(self) -> None:
        """uvicorn: the router stops."""
        if self._transport is not None:
            self._transport.close()

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._splicing = asyncio.create_task(self._splice(reader, writer))

    async def _splice(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            # Either side may go away at any time: so does the other.
            with suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
                await self._join(reader, writer)
        finally:
            writer.close()

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(_HEAD_END)
        port = self._backend_of(_path(head))
        try:
            backend_reader, backend_writer = await asyncio.open_connection(self._host, port, limit=_PIECE)
        except OSError:
            writer.write(_AWAY)
            await writer.drain()
            return
        try:
            backend_writer.write(self._forwarded(head, writer))
            await _until_one_ends(_pass_on(reader, backend_writer), _pass_on(backend_reader, writer))
        finally:
            backend_writer.close()

    def _forwarded(self, head: bytes, writer: asyncio.StreamWriter) -> bytes:
        lines = head.removesuffix(_HEAD_END).split(b"\r\n")
        kept = [line for line in lines if line.partition(b":")[0].strip().lower() not in self._dropped]
        peer = writer.get_extra_info("peername")
        return b"\r\n".join((*kept, b"x-forwarded-for: " + str(peer[0] if peer else self._host).encode(), b"", b""))


def _path(head: bytes) -> str:
    return head.split(b" ", 2)[1].partition(b"?")[0].decode("ascii", "replace")


async def _pass_on(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    """Until ``source`` ends, not faster than ``sink`` takes it."""
    while piece := await source.read(_PIECE):
        sink.write(piece)
        await sink.drain()


async def _until_one_ends(*directions: Coroutine[None, None, None]) -> None:
    tasks = [asyncio.create_task(direction) for direction in directions]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
