"""A search service on a real Postgres: its projections fed event by event, its routes asked in process."""

import hashlib
import itertools
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx2
import numpy as np
import pytest
from fastapi import FastAPI
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.artifacts import (
    Analysis,
    AnalyzedSegment,
    ArtifactRef,
    Kind,
    Locator,
    MediaProperties,
    Moderation,
    Passage,
    Passages,
    Service,
    TextSource,
    UploadRef,
)
from contracts.envelope import Envelope, EventData
from contracts.events import (
    MediaAnalyzedV1,
    MediaEmbeddedV1,
    MediaProcessedV1,
    UploadDeletedV1,
    UserChangedV1,
)
from contracts.events.user_changed_v1 import ApiKeyHash, UserStatus
from contracts.identifiers import ownership
from database.engine import Database
from embeddings.encoder import Encoder
from embeddings.testing import FakeEncoder
from eventing.inputs import StoreInputs
from hosting.app import create_app
from identity.api_keys import hash_api_key, new_api_key
from objectstore.testing import MemoryObjectStore
from search.authenticator import ProjectedAuthenticator
from search.cut_offs import Calibration
from search.finder import Finder
from search.handlers import projections
from search.models import Model, Models
from search.routes.feedback import feedback_router
from search.routes.file_text import file_text_router
from search.routes.history import history_router
from search.routes.image import image_router
from search.routes.insights import insights_router
from search.routes.searching import search_router
from search.store import retrieval

ARTIFACTS = "artifacts"
UPLOADS = "uploads"
CREATED = datetime(2026, 3, 5, 12, tzinfo=UTC)
FAKE_CALIBRATION = Calibration(0.3, 0.3)

_event_ids = itertools.count(1)


@dataclass
class World:
    """Everything the service has, and what a test needs to fill it."""

    database: Database
    encoder: Encoder
    store: MemoryObjectStore = field(default_factory=MemoryObjectStore)

    def __post_init__(self) -> None:
        self.handlers = {projection.event: projection for projection in projections()}
        self.finder = Finder(self.database, Models(Model(self.encoder, FAKE_CALIBRATION)))

    def upload(self, user: str, filename: str, *, generation: int = 1, run: int = 0) -> UploadRef:
        name = f"{user}/{filename}"
        upload_id = ownership(UPLOADS, name).upload_id
        return UploadRef(
            upload_id=upload_id, user_id=user, bucket=UPLOADS, object_name=name, generation=generation, run=run
        )

    async def artifact(self, content: bytes) -> ArtifactRef:
        key = f"a/{next(_event_ids)}"
        await self.store.put(ARTIFACTS, key, content, "application/json")
        sha256 = hashlib.sha256(content).hexdigest()
        return ArtifactRef(
            bucket=ARTIFACTS, key=key, sha256=sha256, media_type="application/json", size_bytes=len(content)
        )

    async def processed(self, upload: UploadRef, **changes: Any) -> MediaProcessedV1:
        values: dict[str, Any] = {
            "filename": upload.object_name.rpartition("/")[2],
            "kind": Kind.DOCUMENT,
            "media_type": "text/plain",
            "size_bytes": 1000,
            "sha256": "0" * 64,
            "created_at": CREATED,
            "properties": MediaProperties(),
            "material": await self.artifact(b"{}"),
        }
        return MediaProcessedV1(upload=upload, **values | changes)

    async def analyzed(self, upload: UploadRef, texts: Sequence[str], **changes: Any) -> MediaAnalyzedV1:
        analysis = Analysis(
            title="",
            summary="",
            segments=tuple(
                AnalyzedSegment(text=t, locator=Locator(page=i + 1), source=TextSource.TEXT)
                for i, t in enumerate(texts)
            ),
            model_id="test",
            prompt_version="1",
        )
        values: dict[str, Any] = {
            "filename": upload.object_name.rpartition("/")[2],
            "kind": Kind.DOCUMENT,
            "title": "",
            "summary": "",
            "language": "en",
            "analysis": await self.artifact(analysis.model_dump_json().encode()),
            "segment_count": len(texts),
            "moderation": Moderation(),
            "model_id": "test",
            "prompt_version": "1",
        }
        return MediaAnalyzedV1(upload=upload, **values | changes)

    async def embedded(self, upload: UploadRef, texts: Sequence[str], **changes: Any) -> MediaEmbeddedV1:
        passages = Passages(
            passages=tuple(
                Passage(index=i, text=t, locator=Locator(page=i + 1), source=TextSource.TEXT)
                for i, t in enumerate(texts)
            )
        )
        vectors = (await self.encoder.encode_documents(list(texts))).astype("<f4")
        values: dict[str, Any] = {
            "filename": upload.object_name.rpartition("/")[2],
            "kind": Kind.DOCUMENT,
            "model_id": self.encoder.model_id,
            "dimensions": self.encoder.dimensions,
            "passage_count": len(texts),
            "passages": await self.artifact(passages.model_dump_json().encode()),
            "vectors": await self.artifact(np.ascontiguousarray(vectors).tobytes()),
        }
        return MediaEmbeddedV1(upload=upload, **values | changes)

    async def apply(self, *events: EventData) -> list[EventData]:
        """Each event in a transaction of its own, as the runtime does it; answers what was announced."""
        announced: list[EventData] = []
        for event in events:
            projection = self.handlers[type(event)]
            envelope = Envelope[Any](id=str(next(_event_ids)), source="//test", time=datetime.now(UTC), data=event)
            async with self.database.transaction(projection.tenant_of(event)) as session:
                announced += await projection.handle(envelope, session, StoreInputs(self.store, ARTIFACTS, "x/"))
        return announced

    async def add(self, user: str, filename: str, *texts: str, language: str = "en", **changes: Any) -> str:
        """A file that went the whole way; answers its upload id."""
        upload = self.upload(user, filename)
        await self.apply(
            await self.processed(upload, **changes),
            await self.analyzed(upload, texts, language=language),
            await self.embedded(upload, texts),
        )
        return upload.upload_id

    async def delete(self, user: str, filename: str, generation: int = 1) -> None:
        await self.apply(UploadDeletedV1(upload=self.upload(user, filename, generation=generation)))

    async def new_user(self, user: str, *, version: int = 1, status: UserStatus = UserStatus.ACTIVE) -> str:
        """A user with one API key; answers the key."""
        key = new_api_key()
        hashed = ApiKeyHash(key_id="k1", sha256=hash_api_key(key))
        await self.apply(UserChangedV1(user_id=user, version=version, status=status, tier="free", api_keys=(hashed,)))
        return key

    async def rows(self, user: str) -> dict[str, list[Any]]:
        """Every row the user's transactions can see, without the time of the last event and serial numbers."""
        tables = (
            "arrivals",
            "files",
            "file_name_words",
            "passage_sets",
            "passages",
            "words",
            "vectors_384",
            "vectors_1536",
        )
        seen: dict[str, list[Any]] = {}
        async with self.database.transaction(user) as session:
            for table in tables:
                found = await session.scalars(text(f"SELECT to_jsonb(t) - 'touched_at' - 'id' FROM {table} t"))
                seen[table] = sorted(found.all(), key=json.dumps)
        return seen


async def set_for_searching(session: AsyncSession) -> None:
    """A session's transaction as those of searches are."""
    for name, value in retrieval.SEARCH_TERMS.settings.items():
        await session.execute(text(f"SET LOCAL {name} = '{value}'"))


@pytest.fixture
def encoder() -> FakeEncoder:
    return FakeEncoder(384)


@pytest.fixture
async def world(service_database: Callable[[str], Awaitable[Database]], encoder: FakeEncoder) -> World:
    return World(await service_database("search"), encoder)


@pytest.fixture
def app(world: World) -> FastAPI:
    database = world.database
    finding = [search_router(world.finder), image_router(world.finder)]
    routers = [*finding, file_text_router(database), history_router(database), insights_router(database)]
    app = create_app(Service.SEARCH, routers=[*routers, feedback_router(database)])
    app.state.authenticator = ProjectedAuthenticator(world.database, local_issuer_secret="s" * 32)
    return app


@pytest.fixture
async def client(world: World, app: FastAPI) -> AsyncIterator[httpx2.AsyncClient]:
    """A client that is user ``ada``."""
    headers = {"X-API-Key": await world.new_user("ada")}
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://search", headers=headers) as client:
        yield client


@pytest.fixture
def names() -> Callable[[Iterable[dict[str, Any]]], list[str]]:
    """The file names of results, in order."""
    return lambda results: [result["filename"] for result in results]
