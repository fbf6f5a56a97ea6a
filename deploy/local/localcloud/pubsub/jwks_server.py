"""A tiny HTTP server: ``/jwks.json`` answers the public key, ``/healthz`` that the event loop is alive, ``/metrics``
every subscription's backlog.

Turns any other request into 404; one answer per connection.
"""

import asyncio
import contextlib
from collections.abc import Callable, Mapping

from localcloud.pubsub.metrics import MEDIA_TYPE

_PATIENCE = 5.0


_Documents = Mapping[bytes, tuple[bytes, Callable[[], bytes]]]


async def serve_jwks(jwks: bytes, metrics: Callable[[], bytes], port: int) -> asyncio.Server:
    """Listen on 127.0.0.1; OSError when the port is taken."""
    documents: _Documents = {
        b"/jwks.json": (b"application/json", lambda: jwks),
        b"/healthz": (b"text/plain", lambda: b"ok\n"),
        b"/metrics": (MEDIA_TYPE, metrics),
    }

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            async with asyncio.timeout(_PATIENCE):
                head = await reader.readuntil(b"\r\n\r\n")
                writer.write(_response(head, documents))
                await writer.drain()
        writer.close()

    return await asyncio.start_server(answer, "127.0.0.1", port)


def _response(head: bytes, documents: _Documents) -> bytes:
    words = head.split(b"\r\n", 1)[0].split(b" ")
    path = words[1].split(b"?", 1)[0] if len(words) == 3 and words[0] == b"GET" else b""
    status = b"200 OK" if path in documents else b"404 Not Found"
    media_type, render = documents.get(path, (b"text/plain", lambda: b"not found\n"))
    body = render()
    return b"HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s" % (
        status,
        media_type,
        len(body),
        body,
    )
