"""One ``multipart/mixed`` request of many JSON API calls into one answer with theirs in order."""

import secrets
from collections.abc import Awaitable, Callable
from email.message import Message
from email.parser import BytesParser
from http.client import responses
from typing import Any
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message as AsgiMessage

from localcloud.storage.errors import StorageError, invalid
from localcloud.storage.routing import Call, Route

_MAX_CALLS = 1000
_MAX_BYTES = 10 * 1024 * 1024


class BatchRoutes:
    """Handler of ``/batch/storage/v1``; `respond` answers one inner request."""

    def __init__(self, respond: Callable[[Request], Awaitable[Response]]) -> None:
        self._respond = respond

    def routes(self) -> list[Route]:
        """What it answers."""
        return [Route("POST", "/batch/storage/v1", self.run), Route("POST", "/batch", self.run)]

    async def run(self, call: Call) -> Response:
        """Answer every inner call; one that fails does not stop the others."""
        content_type = call.headers.get("content-type", "")
        body = bytearray()
        async for chunk in call.request.stream():
            body += chunk
            if len(body) > _MAX_BYTES:
                raise StorageError(413, "uploadTooLarge", "The batch is too large.")
        head = f"Content-Type: {content_type}\r\n\r\n".encode()
        message = BytesParser().parsebytes(head + bytes(body))
        parts = _parts(message)
        boundary = f"batch_{secrets.token_hex(16)}"
        answer = bytearray()
        for part in parts:
            request = _inner_request(call, part)
            response = await self._respond(request)
            answer += f"--{boundary}\r\n".encode() + _part(part.get("Content-ID"), response)
        answer += f"--{boundary}--\r\n".encode()
        return Response(bytes(answer), 200, media_type=f"multipart/mixed; boundary={boundary}")


def _parts(message: Message) -> list[Message]:
    if not message.is_multipart():
        raise invalid("The batch is not a multipart body.")
    parts = [part for part in message.walk() if part.get_content_type() == "application/http"]
    if len(parts) > _MAX_CALLS:
        raise invalid(f"The batch holds {len(parts)} calls; the maximum is {_MAX_CALLS}.")
    return parts


def _inner_request(call: Call, part: Message) -> Request:
    raw = part.get_payload(decode=True)
    text = raw if isinstance(raw, bytes) else b""
    line, _, rest = text.lstrip().replace(b"\r\n", b"\n").partition(b"\n")
    words = line.decode("latin-1").split(" ")
    if len(words) < 2:
        raise invalid("A call of the batch has no request line.")
    head, _, body = rest.partition(b"\n\n") if not rest.startswith(b"\n") else (b"", b"", rest[1:])
    target = urlsplit(words[1])
    if target.path.startswith(("/upload/", "/download/", "/resumable/", "/batch")) or "alt=media" in target.query:
        raise invalid("Uploads, downloads and batches cannot be part of a batch.")
    headers = [
        (name.strip().lower(), value.strip())
        for name, _, value in (header.partition(b":") for header in head.split(b"\n") if header)
    ]
    scope: dict[str, Any] = {
        **call.request.scope,
        "method": words[0],
        "path": target.path,
        "raw_path": target.path.encode(),
        "query_string": target.query.encode(),
        "headers": [*((name, value) for name, value in headers if name != b"host"), _host(call)],
    }

    async def receive() -> AsgiMessage:
        return {"type": "http.request", "body": body, "more_body": False}

    return Request(scope, receive)


def _host(call: Call) -> tuple[bytes, bytes]:
    return b"host", call.headers.get("host", "").encode()


def _part(content_id: str | None, response: Response) -> bytes:
    body = bytes(response.body)
    lines = ["Content-Type: application/http"]
    if content_id:
        lines.append(f"Content-ID: <response-{content_id.strip().strip('<>')}>")
    lines += ["", f"HTTP/1.1 {response.status_code} {responses.get(response.status_code, 'Unknown')}"]
    if body:
        lines.append(f"Content-Type: {response.headers.get('content-type', 'application/json')}")
    lines += [f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode() + body + b"\r\n"
