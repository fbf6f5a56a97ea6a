"""Pure ASGI middleware: headers that keep browsers from being used against us, and in production HTTPS only."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hosting.answers import ApiError, error_response
from hosting.middleware import add_headers

_HSTS = (b"strict-transport-security", b"max-age=63072000; includeSubDomains")
_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
_POLICY = (
    b"content-security-policy",
    b"default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
)
# FastAPI's documentation page loads Swagger UI from its usual place and starts it by an inline script.
_DOCS_POLICY = (
    b"content-security-policy",
    (
        b"default-src 'none'; script-src 'unsafe-inline' https://cdn.jsdelivr.net; "
        b"style-src 'unsafe-inline' https://cdn.jsdelivr.net; img-src 'self' data: https://fastapi.tiangolo.com; "
        b"connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
    ),
)
_PLAIN_IS_FINE = frozenset({"/health", "/health/ready", "/metrics", "/version"})
"""Asked by the platform itself, inside its network."""


class SecurityHeaders:
    """Adds what a route has not set itself; ``https_only`` refuses plain HTTP instead of redirecting it, because by
    then the credential has already travelled in the clear.
    """

    def __init__(self, app: ASGIApp, *, docs_path: str, https_only: bool) -> None:
        self._app = app
        self._docs_path = docs_path
        self._https_only = https_only
        always = (*_HEADERS, _HSTS) if https_only else _HEADERS
        self._everywhere, self._documentation = (*always, _POLICY), (*always, _DOCS_POLICY)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        ours = self._documentation if scope["path"] == self._docs_path else self._everywhere

        async def send_with_headers(message: Message) -> None:
            if message["type"] in ("http.response.start", "websocket.http.response.start"):
                add_headers(message, ours)
            await send(message)

        if self._https_only and scope["scheme"] in ("http", "ws") and scope["path"] not in _PLAIN_IS_FINE:
            await _refuse(scope, receive, send_with_headers)
        else:
            await self._app(scope, receive, send_with_headers)


async def _refuse(scope: Scope, receive: Receive, send: Send) -> None:
    error = ApiError(403, "https_required", "Use https://; a key sent over plain HTTP should be replaced.")
    await error_response(error)(scope, receive, send)
