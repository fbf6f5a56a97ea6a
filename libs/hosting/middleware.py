"""Pure ASGI middleware: a request id in and out, the trace id in every answer, request metrics, no inside in a 500."""

import re
import secrets
import time
from collections.abc import Iterable

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hosting import metrics
from hosting.answers import ApiError, error_response
from telemetry import spans
from telemetry.propagation import current_trace_id

_UNLOGGED = ("/health", "/metrics", "/version")
_UPLOAD_PARAMETERS = ("upload_id", "job_id")
_UPLOAD_ID_LENGTH = 64
_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,128}")
_NO_SNIFFING = (b"x-content-type-options", b"nosniff")
_log = structlog.get_logger()


class RequestContext:
    """Outermost layer inside tracing: names the request, counts it, and answers for what nobody caught."""

    def __init__(self, app: ASGIApp, service: str) -> None:
        self._app = app
        self._service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = _request_id(scope)
        started = time.perf_counter()
        status = 0

        async def send_with_ids(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                traced = ((b"x-trace-id", trace_id.encode()),) if (trace_id := current_trace_id()) else ()
                add_headers(message, ((b"x-request-id", request_id.encode()), *traced, _NO_SNIFFING))
            await send(message)

        bound = structlog.contextvars.bind_contextvars(request_id=request_id)
        with metrics.in_progress(self._service):
            try:
                await self._app(scope, receive, send_with_ids)
            except Exception as error:
                _log.error("request failed", action=metrics.action_of(scope), exc_info=error)
                if status == 0:
                    unexpected = ApiError(500, "internal", "Something went wrong on our side; it has been logged.")
                    await error_response(unexpected)(scope, receive, send_with_ids)
                spans.failed(error)
            finally:
                self._note(scope, status, time.perf_counter() - started)
                structlog.contextvars.reset_contextvars(**bound)

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        metrics.observe_request(self._service, scope, status, seconds)
        if not scope["path"].startswith(_UNLOGGED):
            action, took_ms = metrics.action_of(scope), round(seconds * 1000, 1)
            about = {"upload_id": upload_id} if (upload_id := _upload_id(scope)) else {}
            _log.info("request", action=action, status=status or 499, duration_ms=took_ms, **about)


def add_headers(message: Message, headers: Iterable[tuple[bytes, bytes]]) -> None:
    """Adds to the start of an answer those of the headers, named in small letters, that it does not have yet."""
    present = {name.lower() for name, _ in message["headers"]}
    message["headers"] = [*message["headers"], *(header for header in headers if header[0] not in present)]


def _upload_id(scope: Scope) -> str | None:
    given: dict[str, object] = scope.get("path_params", {})
    found = next((given[name] for name in _UPLOAD_PARAMETERS if name in given), None)
    return None if found is None else str(found)[:_UPLOAD_ID_LENGTH]


def _request_id(scope: Scope) -> str:
    offered: bytes = next((value for name, value in scope["headers"] if name == b"x-request-id"), b"")
    return offered.decode() if offered and _REQUEST_ID.fullmatch(offered) else secrets.token_hex(16)
