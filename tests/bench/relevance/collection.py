"""Takes documents the whole way: local analysis, the embedder's cut, an encoder, search's projections into Postgres."""

import hashlib
import itertools
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from analyzer.backends.local.backend import LocalBackend
from analyzer.backends.local.ocr import OcrProcess
from contracts.artifacts import (
    Analysis,
    ArtifactRef,
    Kind,
    Locator,
    Material,
    MaterialText,
    MediaProperties,
    Passages,
    TextSource,
    UploadRef,
)
from contracts.envelope import Envelope, EventData
from contracts.events import MediaAnalyzedV1, MediaEmbeddedV1, MediaProcessedV1
from contracts.identifiers import ownership
from database.engine import Database
from embedder.segments import FileDescription, cut
from embeddings.encoder import Encoder
from eventing.inputs import StoreInputs
from objectstore.testing import MemoryObjectStore
from search.handlers import projections
from tests.bench.relevance.documents import Document

_ARTIFACTS = "artifacts"
_UPLOADS = "uploads"
_FIRST_DAY = datetime(2026, 1, 1, tzinfo=UTC)


class Collection:
    """One user's files in the index, as the pipeline would have put them there."""

    def __init__(self, database: Database, encoder: Encoder, user_id: str) -> None:
        self._database = database
        self._encoder = encoder
        self._user_id = user_id
        self._store = MemoryObjectStore()
        self._handlers = {projection.event: projection for projection in projections()}
        self._event_ids = itertools.count(1)
        self._keys = itertools.count(1)

    async def fill(self, documents: Iterable[Document]) -> int:
        """Answers how many passages were indexed."""
        backend = LocalBackend(OcrProcess())
        indexed = 0
        for number, document in enumerate(documents):
            name = f"{self._user_id}/{document.name}"
            upload = UploadRef(
                upload_id=ownership(_UPLOADS, name).upload_id,
                user_id=self._user_id,
                bucket=_UPLOADS,
                object_name=name,
                generation=1,
            )
            material = material_of(document)
            analysis = await backend.analyze(material, nothing_to_read)
            passages = cut_of(document, analysis)
            await self._apply(await self._processed(upload, material, _FIRST_DAY + timedelta(days=number)))
            await self._apply(await self._analyzed(upload, document, analysis))
            await self._apply(await self._embedded(upload, document, passages))
            indexed += len(passages.passages)
        return indexed

    async def _processed(self, upload: UploadRef, material: Material, created_at: datetime) -> MediaProcessedV1:
        return MediaProcessedV1(
            upload=upload,
            filename=material.filename,
            kind=material.kind,
            media_type="text/plain",
            size_bytes=sum(len(text.text) for text in material.texts),
            sha256=hashlib.sha256(material.filename.encode()).hexdigest(),
            created_at=created_at,
            properties=material.properties,
            material=await self._artifact(b"{}"),
        )

    async def _analyzed(self, upload: UploadRef, document: Document, analysis: Analysis) -> MediaAnalyzedV1:
        return MediaAnalyzedV1(
            upload=upload,
            filename=document.name,
            kind=Kind.DOCUMENT,
            title=analysis.title,
            summary=analysis.summary,
            labels=analysis.labels,
            language=analysis.language,
            analysis=await self._artifact(analysis.model_dump_json().encode()),
            segment_count=len(analysis.segments),
            model_id=analysis.model_id,
            prompt_version=analysis.prompt_version,
        )

    async def _embedded(self, upload: UploadRef, document: Document, passages: Passages) -> MediaEmbeddedV1:
        vectors = await self._encoder.encode_documents([passage.text for passage in passages.passages])
        return MediaEmbeddedV1(
            upload=upload,
            filename=document.name,
            kind=Kind.DOCUMENT,
            model_id=self._encoder.model_id,
            dimensions=self._encoder.dimensions,
            passage_count=len(passages.passages),
            passages=await self._artifact(passages.model_dump_json().encode()),
            vectors=await self._artifact(np.ascontiguousarray(vectors, "<f4").tobytes()),
        )

    async def _artifact(self, content: bytes) -> ArtifactRef:
        sha256, key = hashlib.sha256(content).hexdigest(), f"a/{next(self._keys)}"
        await self._store.put(_ARTIFACTS, key, content, "application/json")
        return ArtifactRef(
            bucket=_ARTIFACTS, key=key, sha256=sha256, media_type="application/json", size_bytes=len(content)
        )

    async def _apply(self, event: EventData) -> None:
        envelope = Envelope[Any](id=str(next(self._event_ids)), source="//bench", time=_FIRST_DAY, data=event)
        async with self._database.transaction(self._user_id) as session:
            await self._handlers[type(event)].handle(envelope, session, StoreInputs(self._store, _ARTIFACTS, "x/"))


def material_of(document: Document) -> Material:
    """What media-processor would have read."""
    texts = tuple(
        MaterialText(text=text, locator=Locator(page=page), source=TextSource.TEXT)
        for page, text in enumerate(document.pages, 1)
    )
    return Material(kind=Kind.DOCUMENT, filename=document.name, properties=MediaProperties(), texts=texts)


def cut_of(document: Document, analysis: Analysis) -> Passages:
    """The passages that are embedded."""
    about = FileDescription(document.name, analysis.title, analysis.summary, analysis.labels)
    return cut(about, analysis.segments)


async def nothing_to_read(_ref: ArtifactRef) -> bytes:
    """The documents of the set have neither pictures nor sound."""
    raise AssertionError("the documents of the set have neither pictures nor sound")
