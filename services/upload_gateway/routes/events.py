"""``GET /events`` (server-sent events), ``GET /ws`` (WebSocket) and ``POST /events/ticket``: live status of uploads."""

import asyncio
from collections.abc import AsyncGenerator, MutableMapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, WebSocket, WebSocketDisconnect
from fastapi.responses import Response
from pydantic import BaseModel
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.requests import HTTPConnection
from starlette.types import Receive, Scope, Send

from hosting.answers import Answer, ApiError, error_response
from hosting.app import API_ROOT
from hosting.routes import LiveResponse
from identity.api_keys import hash_api_key
from identity.principal import SUBPROTOCOL_BEARER, Caller, credentials_of, principal_of
from identity.tickets import hash_ticket, new_ticket
from upload_gateway.live import Admitted, LiveUploads, Message
from upload_gateway.resources import Gateway, Resources
from upload_gateway.routes.representations import shown
from upload_gateway.store import live as store
from upload_gateway.store.uploads import UploadRow

router = APIRouter(prefix=API_ROOT, tags=["events"])

TICKET_LIFE = timedelta(seconds=30)
SUBPROTOCOL = "mmsearch.v1"
_STREAM: dict[str, Any] = {
    "security": [{"APIKeyHeader": []}, {"HTTPBearer": []}],
    "responses": {
        "200": {
            "description": "Messages `hello`, `upload` (data as in `GET /uploads`) and `heartbeat`, without end.",
            "content": {"text/event-stream": {"schema": {"type": "string"}}},
        }
    },
}


class Ticket(BaseModel):
    """Opens one stream by ``?ticket=``, once, where no header can be sent."""

    ticket: str
    expires_at: datetime


@dataclass(frozen=True)
class _Viewer:
    """Who watches, and how to find out whether they still may."""

    user_id: str
    admitted: Admitted


@router.post("/events/ticket", status_code=201)
async def create_ticket(request: Request, response: Response, caller: Caller, gateway: Gateway) -> Answer[Ticket]:
    """A ticket that lives half a minute and is good for one stream."""
    key = request.headers.get("x-api-key")
    ticket = new_ticket()
    async with gateway.database.transaction() as session:
        expires_at = await store.add_ticket(
            session, hash_ticket(ticket), caller.user_id, hash_api_key(key) if key else None, TICKET_LIFE
        )
    response.headers["Cache-Control"] = "no-store"
    return Answer(data=Ticket(ticket=ticket, expires_at=expires_at))


async def _viewer(connection: HTTPConnection) -> _Viewer:
    """By header, by the WebSocket subprotocol ``bearer.…``, or by a ticket. 401, 403."""
    gateway: Resources = connection.app.state.resources
    ticket = connection.query_params.get("ticket")
    if ticket:
        return await _by_ticket(gateway, ticket)
    key, token = credentials_of(connection.headers, connection.scope.get("subprotocols", ()))

    async def admitted() -> bool:
        try:
            await principal_of(gateway.authenticator, key, token)
        except ApiError:
            return False
        return True

    principal = await principal_of(gateway.authenticator, key, token)
    return _Viewer(principal.user_id, admitted)


async def _by_ticket(gateway: Resources, ticket: str) -> _Viewer:
    async with gateway.database.transaction() as session:
        found = await store.use_ticket(session, hash_ticket(ticket))
    if found is None:
        raise ApiError(401, "unauthenticated", "This ticket is not valid: it was used, or it is older than 30 s.")

    async def admitted() -> bool:
        return await gateway.authenticator.still_admits(found.user_id, found.key_sha256)

    if not await admitted():
        raise ApiError(403, "suspended", "This account is suspended, or the key was revoked.")
    return _Viewer(found.user_id, admitted)


def _json(message: Message) -> str:
    data = shown(message.data) if isinstance(message.data, UploadRow) else message.data
    return data.model_dump_json() if data else "{}"


class _Uploads(LiveResponse):
    """A stream of server-sent events; takes its place among the user's streams only when it begins."""

    def __init__(self, live: LiveUploads, viewer: _Viewer, last_id: str | None) -> None:
        super().__init__()
        self._live = live
        self._viewer = viewer
        self._last_id = last_id

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        ended = False

        async def send_noting_the_end(message: MutableMapping[str, Any]) -> None:
            nonlocal ended
            ended = not message.get("more_body", message["type"] == "http.response.start")
            await send(message)

        try:
            with self._live.subscription(self._viewer.user_id) as wake:
                await EventSourceResponse(self._events(wake), ping=0, sep="\n")(scope, receive, send_noting_the_end)
                if not ended:  # the service stops, or the client has gone and does not mind
                    await send({"type": "http.response.body", "body": b"", "more_body": False})
        except ApiError as error:
            await error_response(error)(scope, receive, send)

    async def _events(self, wake: asyncio.Event) -> AsyncGenerator[ServerSentEvent, None]:
        viewer = self._viewer
        async for message in self._live.messages(viewer.user_id, self._last_id, wake, viewer.admitted):
            yield ServerSentEvent(_json(message), event=message.event, id=message.id, sep="\n")


@router.get("/events", response_class=LiveResponse, openapi_extra=_STREAM)
async def events(
    request: Request,
    viewer: Annotated[_Viewer, Depends(_viewer)],
    last_event_id: Annotated[str | None, Query(max_length=20)] = None,
    ticket: Annotated[str | None, Query(max_length=100, description="instead of a header")] = None,
) -> Response:
    """The caller's uploads as they change. ``Last-Event-ID`` resumes where a stream broke off."""
    del ticket  # read where the viewer is found; declared here for the documentation
    return _Uploads(request.app.state.live, viewer, request.headers.get("last-event-id") or last_event_id)


@router.websocket("/ws")
async def websocket(socket: WebSocket) -> None:
    """The same messages as JSON: ``{"event", "id", "data"}``. What the client sends is not looked at."""
    live: LiveUploads = socket.app.state.live
    with ExitStack() as place:
        try:
            viewer = await _viewer(socket)
            wake = place.enter_context(live.subscription(viewer.user_id))
        except ApiError as error:
            await socket.send_denial_response(error_response(error))
        except ConnectionError:
            away = ApiError(503, "unavailable", "The database is away for the moment.", headers={"Retry-After": "5"})
            await socket.send_denial_response(error_response(away))
        else:
            await socket.accept(subprotocol=_chosen(socket.scope["subprotocols"]))
            await _converse(socket, live, viewer, wake)


def _chosen(offered: list[str]) -> str | None:
    """Browsers want one of what they offered; the one that is no secret where there is one."""
    if SUBPROTOCOL in offered:
        return SUBPROTOCOL
    return next((name for name in offered if name.startswith(SUBPROTOCOL_BEARER)), None)


async def _closing_code(viewer: _Viewer) -> int:
    """Too old, no longer admitted, or come back later: who is admitted cannot be said during an outage."""
    try:
        return 1001 if await viewer.admitted() else 1008
    except ConnectionError:
        return 1013


async def _converse(socket: WebSocket, live: LiveUploads, viewer: _Viewer, wake: asyncio.Event) -> None:
    last_id = socket.headers.get("last-event-id") or socket.query_params.get("last_event_id")

    async def tell() -> None:
        async for message in live.messages(viewer.user_id, last_id, wake, viewer.admitted):
            await socket.send_text(f'{{"event":"{message.event}","id":"{message.id}","data":{_json(message)}}}')
        await socket.close(await _closing_code(viewer))

    async def hear() -> None:
        while (await socket.receive())["type"] != "websocket.disconnect":
            pass

    tasks = (asyncio.create_task(tell()), asyncio.create_task(hear()))
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        for result in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(result, Exception) and not isinstance(result, WebSocketDisconnect):
                raise result
