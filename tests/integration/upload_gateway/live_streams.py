"""The gateway with its live streams on real sockets, and readers of server-sent events for tests."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx2
import uvicorn

from hosting.answers import ApiError
from tests.integration.upload_gateway.conftest import Gateway
from upload_gateway.live import LiveUploads

PATIENCE_S = 20


@dataclass
class Message:
    """One server-sent event."""

    event: str = ""
    id: str = ""
    data: Any = None


@dataclass
class Stream:
    """An open stream."""

    response: httpx2.Response
    lines: AsyncIterator[str] = field(init=False)

    def __post_init__(self) -> None:
        self.lines = self.response.aiter_lines()

    async def next(self) -> Message:
        """The next event; fails rather than waiting for ever."""
        async with asyncio.timeout(PATIENCE_S):
            message = Message()
            async for line in self.lines:
                name, _, value = line.partition(": ")
                if name in ("event", "id"):
                    setattr(message, name, value)
                elif name == "data":
                    message.data = json.loads(value)
                elif not line and message.event:
                    return message
        raise EOFError

    async def end(self) -> None:
        """Reads on until the stream ends; raises ``EOFError`` then."""
        while True:
            await self.next()

    async def until(self, upload_id: str, status: str) -> Message:
        """The first message that shows an upload in a status."""
        while True:
            message = await self.next()
            if message.event == "upload" and (message.data["upload_id"], message.data["status"]) == (upload_id, status):
                return message


@dataclass
class LiveGateway:
    """A gateway on a port, and the one that tests reach inside."""

    port: int
    gateway: Gateway
    live: LiveUploads
    client: httpx2.AsyncClient

    @asynccontextmanager
    async def stream(self, user: str | None = "someone", query: str = "", **headers: str) -> AsyncIterator[Stream]:
        sent = (self.gateway.headers(user) if user else {}) | {k.replace("_", "-"): v for k, v in headers.items()}
        async with self.client.stream("GET", f"/api/v1/events{query}", headers=sent) as response:
            assert response.status_code == 200, await response.aread()
            yield Stream(response)

    async def until_free(self, streams: int, user: str = "someone") -> None:
        """Until the user may open so many streams: the server hears a little later that a client is gone."""
        async with asyncio.timeout(PATIENCE_S):
            while not self._may_open(streams, user):
                await asyncio.sleep(0.01)

    def _may_open(self, streams: int, user: str) -> bool:
        try:
            with ExitStack() as stack:
                for _ in range(streams):
                    stack.enter_context(self.live.subscription(user))
        except ApiError:
            return False
        return True


@asynccontextmanager
async def served_live(gateway: Gateway, **limits: int) -> AsyncIterator[LiveGateway]:
    """The gateway's application on a port of its own, listening to its database."""
    url = gateway.database.engine.url.render_as_string(hide_password=False)
    async with LiveUploads(url, gateway.database, gateway.resources.authenticator.forget_user, **limits) as live:
        gateway.app.state.live = live
        async with serving(gateway.app) as port:
            base = f"http://127.0.0.1:{port}"
            async with httpx2.AsyncClient(base_url=base, timeout=PATIENCE_S, trust_env=False) as client:
                yield LiveGateway(port, gateway, live, client)


@asynccontextmanager
async def serving(app: object, **options: Any) -> AsyncIterator[int]:
    """Any application on a free port."""
    config = uvicorn.Config(
        app, port=0, lifespan="off", log_level="critical", timeout_graceful_shutdown=1, proxy_headers=False, **options
    )
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.005)
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        await task
