"""``python -m localcloud.router``: the one public port, routed by path as the load balancer does in the cloud.

Requests stream both ways unread: nothing is buffered, answers may start before the body has ended, events flow.
"""

import argparse
import asyncio
import json
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus

import uvicorn
from starlette.types import Receive, Scope, Send

from localcloud.backend_connection import (
    BackendBrokeError,
    BackendConnection,
    BackendDownError,
    Headers,
    ResponseHead,
    connect,
)
from localcloud.ports import LOOPBACK, holder, is_free
from localcloud.websocket_splice import ServerState, WebSocketSplice

_CANNOT_START = 2
_HOP_BY_HOP = frozenset(
    {b"connection", b"keep-alive", b"proxy-authenticate", b"proxy-authorization", b"proxy-connection", b"te"}
    | {b"trailer", b"transfer-encoding", b"upgrade"}
)
_SET_BY_US = frozenset({b"x-forwarded-for", b"x-forwarded-proto", b"x-forwarded-host", b"forwarded", b"x-real-ip"})
SEARCHED = (("/api/v1/search", ""), ("/api/v1/feedback", ""), ("/api/v1/file/", "/similar"), ("/api/v1/file/", "/text"))
"""What the search service answers, by the beginning and the end of the path."""
_GRACE_S = 5
_CONTINUE_S = 5


@dataclass(frozen=True)
class Backend:
    """A service behind the public port."""

    name: str
    port: int


@dataclass(frozen=True)
class Route:
    """Paths that begin with ``prefix`` and end with ``suffix`` go to ``backend``."""

    prefix: str
    backend: Backend
    suffix: str = ""

    def fits(self, path: str) -> bool:
        """Whether a request for ``path`` goes this way."""
        return path.startswith(self.prefix) and path.endswith(self.suffix)


class _ClientGoneError(Exception):
    """The client closed its connection."""


class Router:
    """The ASGI application; the first route whose prefix fits takes a request, the last one should take all."""

    def __init__(self, routes: Sequence[Route]) -> None:
        self._routes = tuple(routes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes one request on."""
        if scope["type"] != "http":
            return
        backend = self.backend_of(scope["path"])
        exchange = _Exchange(scope, receive, send, backend)
        try:
            async with connect(backend.port, head_only=scope["method"] == "HEAD") as connection:
                await exchange.run(connection)
        except BackendDownError:
            await exchange.refuse(503, "unavailable", f"The {backend.name} service is starting; please try again.")
        except BackendBrokeError:
            await exchange.refuse(502, "bad_gateway", f"The {backend.name} service broke off; please try again.")
        except _ClientGoneError:
            pass

    def backend_of(self, path: str) -> Backend:
        """Where a request for ``path`` goes."""
        return next(route.backend for route in self._routes if route.fits(path))

    def websockets(self, server_state: ServerState, **_: object) -> WebSocketSplice:
        """For uvicorn's ``ws``: the protocol of one connection that becomes a WebSocket."""
        return WebSocketSplice(server_state, lambda path: self.backend_of(path).port, LOOPBACK, _SET_BY_US)


class _Exchange:
    """One request on its way to a backend and back."""

    def __init__(self, scope: Scope, receive: Receive, send: Send, backend: Backend) -> None:
        self._scope = scope
        self._receive = receive
        self._send = send
        self._backend = backend
        self._headers: Headers = list(scope["headers"])
        self._answering = False

    async def run(self, connection: BackendConnection) -> None:
        """Sends the request and relays the answer at the same time; ends with the answer."""
        connection.send_head(self._scope["method"], self._target(), _forwarded(self._headers, self._scope))
        sending = asyncio.create_task(self._relay_body(connection))
        answering = asyncio.create_task(self._relay_answer(connection))
        try:
            await asyncio.wait((sending, answering), return_when=asyncio.FIRST_COMPLETED)
            # The body ends first only by the client going away; the answer is then not wanted any more.
            if not answering.done():
                sending.result()
            await answering
        finally:
            for task in (sending, answering):
                task.cancel()
            await asyncio.gather(sending, answering, return_exceptions=True)

    async def refuse(self, status: int, code: str, message: str) -> None:
        """Answers in the backend's place; too late for that, the missing end tells the client that it was cut."""
        if self._answering:
            return
        body = json.dumps(_error_answer(code, message, self._backend.name, _trace_id(self._headers))).encode()
        headers: Headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
            (b"retry-after", b"1"),
            (b"connection", b"close"),
        ]
        await self._start(ResponseHead(status, headers))
        await self._send({"type": "http.response.body", "body": body, "more_body": False})

    async def _relay_body(self, connection: BackendConnection) -> None:
        """Until the client goes away, which it also notices after the end of the body."""
        if _value(self._headers, b"expect").lower() == b"100-continue":
            # The client holds the body back until the backend wants it, so a refusal spares it the upload.
            with suppress(TimeoutError):
                await asyncio.wait_for(connection.may_continue.wait(), _CONTINUE_S)
        while True:
            message = await self._receive()
            if message["type"] != "http.request":
                raise _ClientGoneError
            try:
                await connection.send_body(message.get("body", b""))
            except OSError:
                # The backend takes no more: it has answered early, and the answer is on its way.
                await asyncio.Event().wait()
            if not message.get("more_body", False):
                connection.end_body()

    async def _relay_answer(self, connection: BackendConnection) -> None:
        head = await connection.head()
        kept = [(name, value) for name, value in head.headers if name not in _HOP_BY_HOP]
        if head.status in {HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED}:
            kept = [(name, value) for name, value in kept if name != b"content-length"]
        await self._start(ResponseHead(head.status, kept))
        async for chunk in connection.body():
            await self._send({"type": "http.response.body", "body": chunk, "more_body": True})
        await self._send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _start(self, head: ResponseHead) -> None:
        self._answering = True
        await self._send({"type": "http.response.start", "status": head.status, "headers": head.headers})

    def _target(self) -> bytes:
        query = self._scope["query_string"]
        path = self._scope["raw_path"] or self._scope["path"].encode()
        return path + b"?" + query if query else path


def _forwarded(headers: Headers, scope: Scope) -> Headers:
    """What the backend gets: the client's headers without those of the connection, and where the request came from."""
    kept = [(name, value) for name, value in headers if name not in _HOP_BY_HOP | _SET_BY_US]
    if _value(headers, b"transfer-encoding"):
        kept = [header for header in kept if header[0] != b"content-length"]
        kept.append((b"transfer-encoding", b"chunked"))
    client = scope["client"][0] if scope["client"] else LOOPBACK
    host = _value(headers, b"host")
    return [
        *kept,
        (b"x-forwarded-for", client.encode()),
        (b"x-forwarded-proto", scope["scheme"].encode()),
        (b"x-forwarded-host", host),
    ]


def _value(headers: Headers, name: bytes) -> bytes:
    return next((value for given, value in headers if given == name), b"")


def _trace_id(headers: Headers) -> str | None:
    parts = _value(headers, b"traceparent").decode("latin-1").split("-")
    return parts[1] if len(parts) == 4 and len(parts[1]) == 32 else None


def _error_answer(code: str, message: str, service: str, trace_id: str | None) -> dict[str, object]:
    return {
        "status": "error",
        "data": None,
        "error": {"code": code, "message": message, "details": {"service": service}},
        "meta": {},
        "trace_id": trace_id,
        "timestamp": datetime.now(UTC).isoformat(),
    }


def main() -> int:
    """Routes until told to stop; the exit code."""
    arguments = _parse()
    if not is_free(arguments.port):
        taken_by = holder(arguments.port) or "another process"
        sys.stderr.write(f"localcloud.router cannot start: port {arguments.port} is taken by {taken_by}\n")
        return _CANNOT_START
    gateway = Backend("upload-gateway", arguments.gateway_port)
    search = Backend("search", arguments.search_port)
    router = Router(
        (
            *(Route(prefix, search, suffix) for prefix, suffix in SEARCHED),
            *_traces(arguments.traces_port),
            Route("", gateway),
        )
    )
    uvicorn.run(
        router,
        host=LOOPBACK,
        port=arguments.port,
        http="httptools",
        ws=router.websockets,  # pyright: ignore[reportArgumentType] - called like the class it asks for
        lifespan="off",
        access_log=False,
        log_level="warning",
        proxy_headers=False,
        server_header=False,
        date_header=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=_GRACE_S,
    )
    return 0


def _traces(port: int | None) -> tuple[Route, ...]:
    return () if port is None else (Route("/traces", Backend("traces", port)),)


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="localcloud.router", description="The one public port.")
    parser.add_argument("--port", type=int, required=True, help="the public port on 127.0.0.1")
    parser.add_argument("--gateway-port", type=int, required=True)
    parser.add_argument("--search-port", type=int, required=True)
    parser.add_argument("--traces-port", type=int, help="where traces are drawn, if they are kept here")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
