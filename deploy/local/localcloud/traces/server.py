"""HTTP on loopback: ``POST /v1/traces`` takes spans in, ``/traces`` and ``/traces/{id}`` show them.

What is shown belongs to whoever runs this machine: only requests that name a loopback host are answered.
"""

import asyncio
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from urllib.parse import parse_qs, urlsplit

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from starlette.types import Receive, Scope, Send

from localcloud.traces import page
from localcloud.traces.intake import MAX_BODY, UnreadableError, pieces_of
from localcloud.traces.jaeger import jaeger_document
from localcloud.traces.spans import spans_of
from localcloud.traces.store import TraceStore

_PROTOBUF = "application/x-protobuf"
_HTML, _JSON, _CSS = "text/html; charset=utf-8", "application/json", "text/css; charset=utf-8"
_TRACE = re.compile(r"/traces/([0-9a-f]{32})(\.json)?")
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_LISTED = 200
_SAFE = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


@dataclass(frozen=True)
class Reply:
    """One answer."""

    status: int
    body: bytes
    media_type: str = "text/plain; charset=utf-8"
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


class TraceServer:
    """The ASGI application over one store."""

    def __init__(self, store: TraceStore) -> None:
        self._store = store

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        if scope["type"] != "http":
            return
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        reply = await self._reply(scope, headers, receive)
        sent = {"content-type": reply.media_type, "content-length": str(len(reply.body)), **_SAFE, **reply.headers}
        raw = [(name.lower().encode(), value.encode("latin-1")) for name, value in sent.items()]
        await send({"type": "http.response.start", "status": reply.status, "headers": raw})
        body = b"" if scope["method"] == "HEAD" else reply.body
        await send({"type": "http.response.body", "body": body, "more_body": False})

    async def _reply(self, scope: Scope, headers: Mapping[str, str], receive: Receive) -> Reply:
        # A name that a stranger's page made to point here would let it read along.
        if urlsplit(f"//{headers.get('host', '')}").hostname not in _LOOPBACK:
            return _text(421, "This is for this machine only.")
        path, method = str(scope["path"]), scope["method"]
        if (method == "POST") is not (path == "/v1/traces") or method not in {"GET", "HEAD", "POST"}:
            return _text(405, "POST is for /v1/traces, GET for everything else.")
        if method == "POST":
            return await self._take(headers, receive)
        return await self._show(path, scope)

    async def _show(self, path: str, scope: Scope) -> Reply:
        if path in {"/traces", "/traces/"}:
            return await self._list(parse_qs(scope["query_string"].decode("latin-1")))
        if path == "/traces/page.css":
            return Reply(200, page.STYLE.read_bytes(), _CSS)
        if path == "/health/ready":
            return Reply(200, b'{"status": "ok"}', _JSON)
        match = _TRACE.fullmatch(path)
        if match:
            return await self._trace(match[1], as_json=bool(match[2]))
        return Reply(404, page.missing_page(path.rpartition("/")[2][:64]).encode(), _HTML)

    async def _list(self, query: Mapping[str, list[str]]) -> Reply:
        only_events = query.get("show") != ["all"]
        summaries = await asyncio.to_thread(self._store.recent, _LISTED, only_events=only_events)
        return Reply(200, page.list_page(summaries, only_events=only_events).encode(), _HTML)

    async def _trace(self, trace_id: str, *, as_json: bool) -> Reply:
        def render() -> Reply:
            spans = spans_of(self._store.bodies(trace_id))
            status = 200 if spans else HTTPStatus.NOT_FOUND
            if as_json:
                return Reply(status, json.dumps(jaeger_document(trace_id, spans)).encode(), _JSON)
            html = page.trace_page(trace_id, spans) if spans else page.missing_page(trace_id)
            return Reply(status, html.encode(), _HTML)

        return await asyncio.to_thread(render)

    async def _take(self, headers: Mapping[str, str], receive: Receive) -> Reply:
        # A page can make a browser post plain text anywhere, but not this.
        if headers.get("content-type", "").partition(";")[0].strip().lower() != _PROTOBUF:
            return _text(415, f"Send {_PROTOBUF}.")
        body = await _body(receive)
        if body is None:
            return _text(413, f"At most {MAX_BODY} bytes.")
        encoding = headers.get("content-encoding", "").strip().lower()
        try:
            await asyncio.to_thread(lambda: self._store.add(pieces_of(body, encoding)))
        except UnreadableError as error:
            return _text(400, str(error))
        return Reply(200, ExportTraceServiceResponse().SerializeToString(), _PROTOBUF)


async def _body(receive: Receive) -> bytes | None:
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        body += message.get("body", b"")
        if len(body) > MAX_BODY:
            return None
        if not message.get("more_body", False):
            return bytes(body)


def _text(status: int, sentence: str) -> Reply:
    return Reply(status, sentence.encode() + b"\n")
