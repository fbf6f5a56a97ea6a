"""How the two shapes of handler are run so that a second delivery has no second effect.

A stage remembers in a manifest and hands its events back to be announced. A projection remembers in the transaction
that holds its rows; its events leave through the outbox.
"""

import asyncio
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol
from weakref import WeakValueDictionary

from contracts.artifacts import Manifest, Service, StoredEvent, UploadRef
from contracts.envelope import Envelope, EventData, derived_event_id
from contracts.events import MediaFailedV1
from eventing import codec, metrics
from eventing.errors import Reject
from eventing.handlers import ManifestKey, Outcome, Projection, Purge, Stage, hash_inputs
from eventing.inputs import opened_inputs
from eventing.manifest import StageMemory
from objectstore.store import ObjectStore
from telemetry import spans
from telemetry.propagation import carrier

if TYPE_CHECKING:
    from database.engine import Database
    from eventing.ledger import Ledger
    from eventing.relay import Relay


class Work(Protocol):
    """One handler made safe to run any number of times on the same event."""

    service: Service
    event: type[EventData]

    async def perform(self, envelope: Envelope[Any]) -> Sequence[StoredEvent]:
        """Runs the handler or recalls what it did; returns the events that must be announced before the ack."""
        ...


class StageWork:
    """Runs a stage: look for the manifest, open inputs, run, store."""

    def __init__(self, stage: Stage[Any], memory: StageMemory, store: ObjectStore) -> None:
        self._stage = stage
        self._memory = memory
        self._store = store
        self._in_hand: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self.service = stage.service
        self.event: type[EventData] = stage.event

    async def perform(self, envelope: Envelope[Any]) -> Sequence[StoredEvent]:
        """See :class:`Work`. Of copies that are here at the same time one works (and pays), the others recall."""
        upload = self._stage.upload_of(envelope.data)
        key = ManifestKey(upload, self._stage.service, self._stage.version, hash_inputs(envelope.data))
        alone = self._in_hand.setdefault(key.manifest, asyncio.Lock())
        async with alone:
            return await self._recall_or_work(envelope, upload, key)

    async def _recall_or_work(
        self, envelope: Envelope[Any], upload: UploadRef, key: ManifestKey
    ) -> Sequence[StoredEvent]:
        with spans.internal("recall"):
            manifest = await self._memory.recall(key)
        if manifest is not None:
            spans.mark(recalled=True)
            return manifest.events
        started = time.monotonic()
        outcome = await self._run(envelope, upload, key)
        if outcome.events:
            metrics.observe_stage(
                self.service.value, _kind_of(envelope.data, outcome.events), time.monotonic() - started
            )
        if outcome.purge is not None:
            await self._purge(outcome.purge)
        if not outcome.artifacts and not outcome.events:
            return ()  # nothing to remember; a manifest would only outlive what was purged
        manifest = Manifest(
            stage=self._stage.service,
            stage_version=self._stage.version,
            input_event_id=envelope.id,
            created_at=datetime.now(UTC),
            duration_s=time.monotonic() - started,
            artifacts=tuple(artifact.ref for artifact in outcome.artifacts),
            events=tuple(self._encode(envelope, index, event) for index, event in enumerate(outcome.events)),
        )
        with spans.internal("remember"):
            return (await self._memory.remember(key, manifest)).events

    async def _run(self, envelope: Envelope[Any], upload: UploadRef, key: ManifestKey) -> Outcome:
        async with opened_inputs(self._store, self._memory.bucket, key.prefix) as inputs:
            try:
                with spans.internal(f"handle {self._stage.event.topic()}", stage_version=self._stage.version):
                    outcome = await self._stage.handle(envelope.data, inputs)
            except Reject as refusal:
                spans.mark(rejected=refusal.code.value)
                metrics.count_error(f"{self.service.value}.{self.event.topic()}", refusal.code.value, "rejected")
                return Outcome(events=[failure(upload, self._stage.service, refusal)])
            # Artifacts may be files in the workdir, which ends with this block.
            with spans.internal("store artifacts", artifacts=len(outcome.artifacts)):
                await self._memory.store_artifacts(outcome.artifacts)
            return outcome

    async def _purge(self, purge: Purge) -> None:
        if purge.original is not None:
            original = purge.original
            await self._store.delete(original.bucket, original.object_name, original.generation)
        await self._store.delete_prefix(self._memory.bucket, purge.derived)

    def _encode(self, envelope: Envelope[Any], index: int, event: EventData) -> StoredEvent:
        event_id = derived_event_id(self._stage.service.value, self._stage.version, envelope.id, str(index))
        return created(event, event_id, self._stage.service)


class ProjectionWork:
    """Runs a projection: inbox, handler, outbox and commit in one transaction."""

    def __init__(
        self,
        projection: Projection[Any],
        database: "Database",
        ledger: "Ledger",
        relay: "Relay",
        store: ObjectStore,
        artifacts_bucket: str,
    ) -> None:
        self._projection = projection
        self._database = database
        self._ledger = ledger
        self._relay = relay
        self._store = store
        self._artifacts_bucket = artifacts_bucket
        self.service = projection.service
        self.event: type[EventData] = projection.event

    async def perform(self, envelope: Envelope[Any]) -> Sequence[StoredEvent]:
        """See :class:`Work`. The events are already in the outbox, so none are left to announce."""
        topic = self._projection.event.topic()
        async with (
            opened_inputs(self._store, self._artifacts_bucket, "projection/") as inputs,
            self._database.transaction(self._projection.tenant_of(envelope.data)) as session,
        ):
            if not await self._ledger.first_time(session, envelope.id, topic):
                spans.mark(recalled=True)
                return ()
            started = time.monotonic()
            with spans.internal(f"handle {topic}"):
                events = await self._projection.handle(envelope, session, inputs)
            if events:
                kind = _kind_of(envelope.data, events)
                metrics.observe_stage(self.service.value, kind, time.monotonic() - started)
            for index, event in enumerate(events):
                event_id = derived_event_id(self.service.value, topic, envelope.id, str(index))
                await self._ledger.announce(session, created(event, event_id, self.service))
        if events:
            self._relay.wake()
        return ()


def _kind_of(heard: EventData, said: Sequence[EventData]) -> str | None:
    """The kind of file, as the first event that knows it tells."""
    kinds = (getattr(event, "kind", None) for event in (*said, heard))
    return next((str(kind) for kind in kinds if kind), None)


def created(event: EventData, event_id: str, source: Service) -> StoredEvent:
    """An event ready to publish, whose consumers will hang below a ``create <topic>`` span of the current trace."""
    with spans.producer(event.topic(), event_id):
        return codec.encode(event, event_id=event_id, source=source, time=datetime.now(UTC), trace=carrier())


def failure(upload: UploadRef, stage: Service, refusal: Reject) -> MediaFailedV1:
    """The event that tells the owner why a file was refused."""
    return MediaFailedV1(
        upload=upload,
        stage=stage,
        code=refusal.code,
        message=refusal.message,
        retryable=refusal.retryable,
        usage=refusal.usage,
    )
