"""Pure ASGI middleware: a request becomes one server span under the HTTP conventions, and joins its caller's trace.

Written here because it runs before everything else: OpenTelemetry's own matches every route a second time and collects
metrics nobody reads, which took a tenth of a request (docs/decisions/0023).
"""

from collections.abc import Sequence

from opentelemetry import context, trace
from opentelemetry.context import Context
from opentelemetry.trace import Span, SpanKind, StatusCode
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from telemetry.propagation import context_of

Attributes = dict[str, str | int]

_UNTRACED = ("/health", "/metrics", "/version", "/events/")
"""Operators' routes, and the push door: what it delivers belongs to the event's own trace."""

_METHODS = frozenset({"CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "QUERY", "TRACE"})
_ANSWERS = ("http.response.start", "websocket.http.response.start")
_PARENT = (b"traceparent", b"tracestate")
_NOTHING = Context()
_tracer = trace.get_tracer("mmsearch.requests")


class ServerSpans:
    """A span around each request, current inside it. Attributes are collected only if the span is recorded."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] not in ("http", "websocket") or scope["path"].startswith(_UNTRACED):
            await self._app(scope, receive, send)
            return
        # A connection is asked for by GET; by method and path the sampler decides.
        method = scope.get("method", "GET")
        asked: Attributes = {"http.request.method": method if method in _METHODS else "_OTHER"}
        asked["url.path"] = scope["path"]
        name = method if method in _METHODS else "HTTP"
        span = _tracer.start_span(name, _parent(scope["headers"]), SpanKind.SERVER, asked)
        token = context.attach(trace.set_span_in_context(span))
        try:
            if span.is_recording():
                span.set_attributes(_about(scope))
                send = _noting(span, send)
            await self._app(scope, receive, send)
        finally:
            if span.is_recording():
                _route(span, scope, name)
            context.detach(token)
            span.end()


def _parent(headers: Sequence[tuple[bytes, bytes]]) -> Context:
    sent = {name: value.decode("latin-1") for name, value in headers if name in _PARENT}
    traceparent, tracestate = (sent.get(name) for name in _PARENT)
    return _NOTHING if traceparent is None else context_of(traceparent, tracestate)


def _about(scope: Scope) -> Attributes:
    headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
    about: Attributes = {"url.scheme": scope["scheme"], "network.protocol.version": scope.get("http_version", "1.1")}
    if scope["query_string"]:
        # What people look for may stand there; which parameters were given is told by the route.
        about["url.query"] = "-"
    if host := headers.get(b"host"):
        name, _, port = host.rpartition(":")
        about["server.address"] = name or port
        about |= {"server.port": int(port)} if name and port.isdecimal() else {}
    if client := scope.get("client"):
        about |= {"client.address": client[0], "client.port": client[1]}
    if program := headers.get(b"user-agent"):
        about["user_agent.original"] = program
    return about


def _noting(span: Span, send: Send) -> Send:
    async def noting(message: Message) -> None:
        if message["type"] in _ANSWERS:
            status = message["status"]
            span.set_attribute("http.response.status_code", status)
            if status >= 500:
                span.set_attribute("error.type", str(status))
                span.set_status(StatusCode.ERROR)
        await send(message)

    return noting


def _route(span: Span, scope: Scope, method: str) -> None:
    route = getattr(scope.get("route"), "path", None)
    if route is not None:
        span.set_attribute("http.route", route)
        span.update_name(f"{method} {route}")
