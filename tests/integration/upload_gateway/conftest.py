"""The gateway in process: its real routes and handlers, real Postgres, objects in memory, two users."""

import itertools
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import httpx2
import pytest
from fastapi import FastAPI
from sqlalchemy import select, text

from contracts.artifacts import Service, StoredEvent
from contracts.envelope import Envelope, EventData
from contracts.events import EVENTS
from database.engine import Database
from eventing.handlers import StageInputs
from hosting.app import create_app
from identity.api_keys import new_api_key
from objectstore.testing import MemoryObjectStore
from tests.integration.conftest import ServiceDatabase
from upload_gateway.bootstrap import bootstrap
from upload_gateway.handlers import projections
from upload_gateway.identity import LocalLogin, TableAuthenticator
from upload_gateway.resources import Resources
from upload_gateway.routes import API
from upload_gateway.tables import ledger

MAX_BYTES = 3 * 1024 * 1024
SECRET = "a secret of this machine, long enough"
BUCKET = "uploads"
JPEG = b"\xff\xd8\xff\xe0" + b"a photograph, more or less" * 10


@dataclass
class Gateway:
    """What a test talks to."""

    app: FastAPI
    client: httpx2.AsyncClient
    database: Database
    objects: MemoryObjectStore
    resources: Resources
    keys: dict[str, str]
    wakes: list[int] = field(default_factory=list[int])
    numbers: Any = field(default_factory=itertools.count)

    def headers(self, user: str = "someone") -> dict[str, str]:
        return {"X-API-Key": self.keys[user]}

    async def get(self, path: str, user: str = "someone", **more: Any) -> httpx2.Response:
        return await self.client.get(f"/api/v1{path}", headers=self.headers(user), **more)

    async def post(self, path: str, user: str = "someone", **more: Any) -> httpx2.Response:
        return await self.client.post(f"/api/v1{path}", headers=self.headers(user) | more.pop("headers", {}), **more)

    async def delete(self, path: str, user: str = "someone") -> httpx2.Response:
        return await self.client.delete(f"/api/v1{path}", headers=self.headers(user))

    async def upload(
        self, content: bytes = JPEG, filename: str = "harbour.jpg", user: str = "someone", query: str = "", **more: Any
    ) -> httpx2.Response:
        return await self.post(f"/upload{query}", user, files={"file": (filename, content, "image/jpeg")}, **more)

    async def hear(self, *events: EventData, event_id: str | None = None) -> list[EventData]:
        """Each event as its handler would get it; answers what the handlers announce."""
        announced: list[EventData] = []
        for event in events:
            number = next(self.numbers)
            envelope = Envelope[Any](
                id=event_id or f"event-{number}",
                source="//test",
                time=datetime.now(UTC) + timedelta(milliseconds=number),
                data=event,
                traceparent=f"00-{'ab' * 16}-{'cd' * 8}-01",
            )
            projection = next(p for p in projections() if p.event is type(event))
            async with self.database.transaction(projection.tenant_of(event)) as session:
                announced += await projection.handle(envelope, session, cast("StageInputs", None))
        return announced

    async def outgoing(self) -> list[StoredEvent]:
        """Every message waiting to be published, oldest first."""
        async with self.database.transaction() as session:
            rows = await session.scalars(select(ledger.outbox.c.event).order_by(ledger.outbox.c.id))
            return [StoredEvent.model_validate(row) for row in rows]

    async def outbox(self) -> Sequence[tuple[str, EventData]]:
        """Id and data of every event waiting to be published, oldest first."""
        by_topic = {event.topic(): event for event in EVENTS}
        stored = await self.outgoing()
        return [(s.attributes["ce-id"], by_topic[s.topic].model_validate_json(s.data)) for s in stored]

    async def announced(self, kind: type[EventData]) -> list[Any]:
        """Waiting events of one type."""
        return [event for _, event in await self.outbox() if isinstance(event, kind)]

    async def count_rows(self, tenant: str) -> int:
        async with self.database.transaction(tenant) as session:
            return await session.scalar(text("SELECT count(*) FROM uploads")) or 0


@pytest.fixture
async def gateway(service_database: ServiceDatabase) -> AsyncIterator[Gateway]:
    database = await service_database("upload_gateway")
    keys = {"someone": new_api_key(), "another": new_api_key()}
    await bootstrap(database, "someone", keys["someone"])
    await bootstrap(database, "another", keys["another"])
    async with database.transaction() as session:
        await session.execute(text("UPDATE users SET operator = false WHERE user_id = 'another'"))
        await session.execute(text("DELETE FROM outbox"))
    local = LocalLogin("someone", SECRET)
    authenticator = TableAuthenticator(database, local)
    objects = MemoryObjectStore()
    wakes: list[int] = []
    resources = Resources(database, objects, authenticator, BUCKET, MAX_BYTES, lambda: wakes.append(1))
    app = create_app(Service.UPLOAD_GATEWAY, routers=API)
    app.state.authenticator = authenticator
    app.state.resources = resources
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://localhost:8080") as client:
        yield Gateway(app, client, database, objects, resources, keys, wakes)
