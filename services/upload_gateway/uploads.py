"""Turns what is heard about an upload, in any order and any number of times, into one state.

Every field only ever grows (newest version, furthest removal), so the order in which events arrive cannot matter.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Generic, TypeVar

from pydantic import Field, JsonValue

from contracts.artifacts import Contract, FailureCode, Kind, Service, UploadRef
from contracts.envelope import Envelope, EventData
from contracts.events import (
    MediaAnalyzedV1,
    MediaEmbeddedV1,
    MediaFailedV1,
    MediaIndexedV1,
    MediaProcessedV1,
    ObjectDeletedV1,
    ObjectFinalizedV1,
)
from telemetry.propagation import trace_id_of

EventT = TypeVar("EventT", bound=EventData)

STAGES = (Service.MEDIA_PROCESSOR, Service.ANALYZER, Service.EMBEDDER, Service.SEARCH)
RANK: Mapping[Service, int] = {Service.UPLOAD_GATEWAY: 0} | {stage: rank for rank, stage in enumerate(STAGES, start=1)}


class Heard(Contract, Generic[EventT]):
    """One event with what tells it from its neighbours."""

    event_id: str
    time: datetime
    trace_id: str | None = None
    data: EventT

    @property
    def version(self) -> tuple[int, int]:
        """(generation, run) the event speaks of."""
        upload: UploadRef = getattr(self.data, "upload")  # noqa: B009 - every event kept here has one
        return upload.version


class Requested(Contract):
    """What the gateway was told of a file it took itself; ``generation`` once the bucket has told it.

    ``expected_until`` is when the object must have become visible; a row without one by then was cut off.
    """

    filename: str
    kind: Kind | None = None
    media_type: str | None = None
    size_bytes: int
    sha256: str | None = None
    metadata: dict[str, JsonValue] = Field(default_factory=dict)
    trace_id: str | None = None
    created_at: datetime
    expected_until: datetime | None = None
    claims_content: bool = True
    generation: int | None = None


class UploadState(Contract):
    """Everything known of one upload. ``generation`` is 0 until the bucket holds an object.

    ``beside`` are the vectors of another model than the one that answers: they cost, but carry nothing forward.
    """

    upload_id: str
    user_id: str
    bucket: str
    object_name: str
    generation: int = 0
    run: int = 0
    from_stage: Service | None = None
    run_trace_id: str | None = None
    changes: int = 0
    requested: Requested | None = None
    finalized: Heard[ObjectFinalizedV1] | None = None
    processed: Heard[MediaProcessedV1] | None = None
    analyzed: Heard[MediaAnalyzedV1] | None = None
    embedded: Heard[MediaEmbeddedV1] | None = None
    beside: Heard[MediaEmbeddedV1] | None = None
    indexed: Heard[MediaIndexedV1] | None = None
    failure: Heard[MediaFailedV1] | None = None
    ownerless_generation: int = 0
    removed_generation: int = 0
    removed_at: datetime | None = None
    deleted_generation: int | None = None
    deleted_at: datetime | None = None
    purged: bool = False

    @property
    def version(self) -> tuple[int, int]:
        """The version that counts."""
        return (self.generation, self.run)

    @property
    def ref(self) -> UploadRef:
        """The upload in its newest version; only once the bucket holds it."""
        return UploadRef(
            upload_id=self.upload_id,
            user_id=self.user_id,
            bucket=self.bucket,
            object_name=self.object_name,
            generation=self.generation,
            run=self.run,
        )

    @property
    def bytes_gone(self) -> bool:
        """The bucket has said that the object is no more."""
        return 0 < self.generation <= self.removed_generation

    @property
    def removed(self) -> bool:
        """The object itself is gone from the bucket, or about to go."""
        return self.bytes_gone or (self.deleted and self.purged)

    @property
    def deleted(self) -> bool:
        """Its owner deleted this generation."""
        return self.deleted_generation is not None and self.generation <= self.deleted_generation

    @property
    def ownerless(self) -> bool:
        """It arrived under the name of nobody we know."""
        return 0 < self.generation <= self.ownerless_generation


_SLOTS: Mapping[type[EventData], str] = {
    ObjectFinalizedV1: "finalized",
    MediaProcessedV1: "processed",
    MediaAnalyzedV1: "analyzed",
    MediaEmbeddedV1: "embedded",
    MediaIndexedV1: "indexed",
    MediaFailedV1: "failure",
}


def hear(envelope: Envelope[EventT]) -> Heard[EventT]:
    """An event as it is remembered."""
    return Heard[EventT](
        event_id=envelope.id, time=envelope.time, trace_id=trace_id_of(envelope.traceparent), data=envelope.data
    )


def beginning(upload: UploadRef) -> UploadState:
    """The state of an upload of which nothing has been heard."""
    return UploadState(
        upload_id=upload.upload_id, user_id=upload.user_id, bucket=upload.bucket, object_name=upload.object_name
    )


def apply(state: UploadState, heard: Heard[Any], *, owner_known: bool = True) -> UploadState:
    """The state after one more event; applying events in another order, or twice, ends in the same state."""
    generation = heard.version[0]
    update: dict[str, Any] = {}
    if isinstance(heard.data, ObjectDeletedV1):
        version = max(state.version, (heard.data.overwritten_by_generation or generation, 0))
        if (generation, heard.time) > (state.removed_generation, state.removed_at or heard.time):
            update |= {"removed_generation": generation, "removed_at": heard.time}
    else:
        version = max(state.version, heard.version)
        slot = _slot(heard.data)
        update[slot] = max(heard, getattr(state, slot) or heard, key=_order)
    if state.requested:
        # Whatever comes later under the name is not the file that was asked for.
        first = min(state.requested.generation or generation, generation)
        update["requested"] = state.requested.model_copy(update={"generation": first})
    if not owner_known:
        update["ownerless_generation"] = max(state.ownerless_generation, generation)
    return state.model_copy(update=update | {"generation": version[0], "run": version[1]})


def mark_stored(state: UploadState, generation: int) -> UploadState:
    """The bucket told the gateway which generation its own write became."""
    requested = state.requested and state.requested.model_copy(update={"generation": generation})
    version = max(state.version, (generation, 0))
    return state.model_copy(update={"requested": requested, "generation": version[0], "run": version[1]})


def mark_gone(state: UploadState, now: datetime) -> UploadState:
    """The bucket was asked and holds no such object any more."""
    return state.model_copy(update={"removed_generation": state.generation, "removed_at": now})


def delete(state: UploadState, now: datetime, *, purge: bool) -> UploadState:
    """Hidden from now on, whatever is still heard of this generation; a newer one is a new life."""
    return state.model_copy(
        update={
            "deleted_generation": state.generation,
            "deleted_at": state.deleted_at if state.deleted else now,
            "purged": purge or (state.deleted and state.purged),
            "changes": state.changes + 1,
        }
    )


def restore(state: UploadState) -> UploadState:
    """As if never deleted; what was heard meanwhile counts."""
    return state.model_copy(update={"deleted_generation": None, "deleted_at": None, "changes": state.changes + 1})


def give_up_claim(state: UploadState) -> UploadState:
    """Somebody else's upload stands for this content now."""
    requested = state.requested and state.requested.model_copy(update={"claims_content": False})
    return state.model_copy(update={"requested": requested})


def begin_run(state: UploadState, from_stage: Service, trace_id: str | None) -> UploadState:
    """The next run over the same generation, starting at ``from_stage``."""
    return state.model_copy(
        update={
            "run": state.run + 1,
            "from_stage": from_stage,
            "run_trace_id": trace_id,
            "changes": state.changes + 1,
        }
    )


def finished_rank(state: UploadState) -> int:
    """The furthest stage that succeeded in the version that counts; 0 when none has."""
    done = (state.processed, state.analyzed, state.embedded, state.indexed)
    return max((rank for rank, heard in enumerate(done, 1) if heard and heard.version == state.version), default=0)


def first_unheard(state: UploadState) -> Service:
    """The first stage of the present run whose result was not heard, even if a later one was."""
    begin = STAGES.index(state.from_stage) if state.run and state.from_stage else 0
    heard = (state.processed, state.analyzed, state.embedded, state.indexed)
    for stage, one in list(zip(STAGES, heard, strict=True))[begin:]:
        if one is None or one.version != state.version:
            return stage
    return Service.SEARCH


def standing_failure(state: UploadState) -> MediaFailedV1 | None:
    """The failure of the version that counts, unless its stage or a later one has succeeded since."""
    failure = state.failure
    if failure is None or failure.version != state.version:
        return None
    return failure.data if finished_rank(state) < max(RANK[failure.data.stage], 1) else None


def _slot(event: EventData) -> str:
    return "beside" if isinstance(event, MediaEmbeddedV1) and event.beside else _SLOTS[type(event)]


def _order(heard: Heard[Any]) -> tuple[Any, ...]:
    """Newest version; among failures the furthest stage, then the one that knows its cause; then time and id."""
    rank, explained = 0, True
    if isinstance(heard.data, MediaFailedV1):
        rank, explained = RANK[heard.data.stage], heard.data.code is not FailureCode.INTERNAL
    return (heard.version, rank, explained, heard.time, heard.event_id)
