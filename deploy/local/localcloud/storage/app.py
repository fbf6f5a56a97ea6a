"""The ASGI application: finds the handler of a request, keeps web pages out of the unauthenticated JSON
API, and turns refusals into the error format of the API that was asked."""

import errno
import logging
from collections.abc import Awaitable, Callable, Sequence
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from localcloud.storage.cors import session_headers
from localcloud.storage.errors import StorageError
from localcloud.storage.faults import Faults
from localcloud.storage.routing import Call, Route, Router
from localcloud.storage.sessions import SessionRequests

logger = logging.getLogger(__name__)

_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_SESSION_ROOTS = (b"/upload/", b"/resumable/")
_JSON_ROOTS = (b"/storage/", b"/upload/", b"/download/", b"/resumable/", b"/batch")


class StorageApp:
    """Serves the JSON routes it is given, and everything else by `xml`."""

    def __init__(
        self,
        routes: Sequence[Route],
        xml: Callable[[Call], Awaitable[Response]],
        sessions: SessionRequests,
        faults: Faults,
        public_hosts: Sequence[str],
    ) -> None:
        self._router = Router([*routes, Route("GET", "/healthz", _healthz)])
        self._xml = xml
        self._sessions = sessions
        self._faults = faults
        self._hosts = {*_LOOPBACK, *(urlsplit(f"//{host}").hostname or host for host in public_hosts)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        request = Request(scope, receive)
        try:
            self._faults.before(request)
            response = await self.respond(request)
        except StorageError as error:
            response = error.json_response()
        if self._faults.loses_answer(request):
            # A head without its body makes the server close the connection.
            await send({"type": "http.response.start", "status": 503, "headers": [(b"content-length", b"1")]})
            return
        await response(scope, receive, send)

    async def respond(self, request: Request) -> Response:
        """The answer; errors of the JSON API in its envelope, those of the XML API in its document."""
        raw_path: bytes = request.scope["raw_path"]
        is_json = raw_path.startswith(_JSON_ROOTS)
        try:
            found = self._router.find(request.method, raw_path) if request.method != "OPTIONS" else None
            if found is not None:
                handler, path = found
                call = Call(request, path)
                await self._check_caller(call)
                response = await handler(call)
                response.headers.update(await self._session_cors(call))
                return response
            call = Call(request, {})
            if is_json and request.method == "OPTIONS":
                return Response(None, 200, await self._session_cors(call))
            if is_json:
                raise StorageError(404, "notFound", "Not Found")
            return await self._xml(call)
        except StorageError as error:
            return error.json_response() if is_json else error.xml_response()
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
            logger.exception("no space left in the data directory")
            return StorageError(507, "insufficientStorage", "No space left in the data directory.").json_response()

    async def _check_caller(self, call: Call) -> None:
        """Refuse browsers: any web page could otherwise reach the JSON API, which asks for no credentials.

        Pages reach an upload session (its address is a secret) and signed URLs only.
        """
        if call.raw_path == b"/healthz" or await self._is_of_session(call):
            return
        host = urlsplit(f"//{call.headers.get('host', '')}").hostname
        if "sec-fetch-site" in call.headers or host not in self._hosts:
            raise StorageError(403, "forbidden", "The JSON API of this emulator is not open to web pages.")

    async def _is_of_session(self, call: Call) -> bool:
        """True for a request to an upload session; one that does not exist is refused here."""
        if "upload_id" not in call.query or not call.raw_path.startswith(_SESSION_ROOTS):
            return False
        await self._sessions.origin(call.query["upload_id"])
        return call.query.get("uploadType", "resumable") == "resumable"

    async def _session_cors(self, call: Call) -> dict[str, str]:
        if "origin" not in call.headers or "upload_id" not in call.query:
            return {}
        try:
            origin = await self._sessions.origin(call.query["upload_id"])
        except StorageError:
            return {}
        return session_headers(origin, call.headers, preflight=call.request.method == "OPTIONS")


async def _healthz(_call: Call) -> Response:
    return JSONResponse({"status": "ok"})
