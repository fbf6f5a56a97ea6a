"""Turns the pieces in which uvicorn writes an answer, its head and its body, into one write to the connection.

Each write is a packet, and wakes the client: for an answer's head alone it wakes for nothing (docs/decisions/0027).
"""

import asyncio
from collections.abc import Iterable
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_MOST = 64 * 1024
"""Bytes; more is not held back, so that a body that is streamed waits for its reader as ever."""


class CoalescingProtocol(HttpToolsProtocol):
    """uvicorn's protocol; what it writes in one turn of the event loop leaves together."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """See :class:`asyncio.Protocol`."""
        super().connection_made(cast("asyncio.Transport", CoalescingTransport(transport, self.loop)))


class CoalescingTransport:
    """A transport that writes at the end of the event loop's turn, before it closes, or when it holds too much."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._held: list[bytes] = []
        self._size = 0

    def write(self, data: bytes) -> None:
        """See :class:`asyncio.WriteTransport`."""
        if not self._held:
            self._loop.call_soon(self._flush)
        self._held.append(data)
        self._size += len(data)
        if self._size > _MOST:
            self._flush()

    def writelines(self, data: Iterable[bytes]) -> None:
        """See :class:`asyncio.WriteTransport`."""
        self.write(b"".join(data))

    def close(self) -> None:
        """See :class:`asyncio.WriteTransport`."""
        self._flush()
        self._transport.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def _flush(self) -> None:
        held, self._held, self._size = self._held, [], 0
        if held and not self._transport.is_closing():
            self._transport.write(b"".join(held))
