"""A tiny HTTP server: ``/jwks.json`` answers the public key, ``/healthz`` that the event loop is alive.

Turns any other request into 404; one answer per connection.
"""

import asyncio
import contextlib

_PATIENCE = 5.0


async def serve_jwks(jwks: bytes, port: int) -> asyncio.Server:
    """Listen on 127.0.0.1; OSError when the port is taken."""
    documents = {b"/jwks.json": (b"application/json", jwks), b"/healthz": (b"text/plain", b"ok\n")}

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            async with asyncio.timeout(_PATIENCE):
                head = await reader.readuntil(b"\r\n\r\n")
                writer.write(_response(head, documents))
                await writer.drain()
        writer.close()

    return await asyncio.start_server(answer, "127.0.0.1", port)


def _response(head: bytes, documents: dict[bytes, tuple[bytes, bytes]]) -> bytes:
    words = head.split(b"\r\n", 1)[0].split(b" ")
    path = words[1].split(b"?", 1)[0] if len(words) == 3 and words[0] == b"GET" else b""
    status = b"200 OK" if path in documents else b"404 Not Found"
    media_type, body = documents.get(path, (b"text/plain", b"not found\n"))
    return b"HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s" % (
        status,
        media_type,
        len(body),
        body,
    )
