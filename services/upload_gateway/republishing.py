"""Turns the stored state of an upload back into the events that carry it on, with the ids they had.

Whoever heard one of them recognises it: a stage by its manifest, a projection by its inbox. Only search, which alone
can say that a file is indexed, is asked under a new id when its answer is what got lost.
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.artifacts import Service, StoredEvent, UploadRef
from contracts.envelope import EventData, derived_event_id
from contracts.events import ObjectDeletedV1, ObjectFinalizedV1
from contracts.identifiers import ownership
from contracts.topology import subscription
from eventing import codec
from eventing.notifications import deleted_message, finalized_message
from objectstore.store import StoredObject
from upload_gateway.announcing import announce
from upload_gateway.reprocessing import reprocess_event
from upload_gateway.tables import ledger
from upload_gateway.uploads import STAGES, Heard, UploadState, finished_rank, first_unheard


def stopped_at(state: UploadState) -> Service:
    """The stage after the furthest that succeeded."""
    rank = finished_rank(state)
    if rank == 0 and state.run and state.from_stage:
        return state.from_stage
    return STAGES[min(rank, len(STAGES) - 1)]


def needs_its_object(state: UploadState) -> bool:
    """Whether what is to be published depends on the object in the bucket."""
    return first_unheard(state) is Service.MEDIA_PROCESSOR and not state.run


async def announce_again(session: AsyncSession, state: UploadState, attempt: int) -> None:
    """Publishes what the next stage works on; only for states that do not need their object."""
    stage = first_unheard(state)
    if state.run and stage is state.from_stage:
        await announce(session, reprocess_event(state), str(state.generation), str(state.run))
        return
    carrying = (state.processed, state.analyzed, state.embedded)[STAGES.index(stage) - 1]
    for heard in _of_generation(state):
        if heard is not carrying:
            await ledger.announce(session, _for_search(_as_of_run(state, heard), None))
        elif stage is Service.SEARCH:
            await ledger.announce(session, _for_search(heard, attempt))
        else:
            await ledger.announce(session, as_published(heard))


async def announce_carried(session: AsyncSession, state: UploadState) -> None:
    """Publishes to search what a run just begun carries on, which it has deleted: the results of earlier stages."""
    for heard in _of_generation(state):
        if _is_carried(state, heard):
            await ledger.announce(session, _for_search(_as_of_run(state, heard), None))


async def announce_to_search(session: AsyncSession, state: UploadState) -> int:
    """Publishes to search alone all it should have of an upload, under new ids; returns how many events."""
    known = _of_generation(state)
    for heard in known:
        await ledger.announce(session, _for_search(_as_of_run(state, heard), state.changes + 1))
    return len(known)


def object_event(state: UploadState, stored: StoredObject | None, now: datetime) -> StoredEvent | None:
    """The missing notification: of the object that is there, or of its removal. None while it may still arrive."""
    if stored is not None:
        return finalized_message(finalized_of(stored))
    return removal_message(state, now) if state.generation else None


def finalized_of(stored: StoredObject) -> ObjectFinalizedV1:
    """What Cloud Storage says of an object when it is finished."""
    owner = ownership(stored.bucket, stored.key)
    return ObjectFinalizedV1(
        upload=UploadRef(
            upload_id=owner.upload_id,
            user_id=owner.user_id,
            bucket=stored.bucket,
            object_name=stored.key,
            generation=stored.generation,
        ),
        filename=owner.filename,
        size_bytes=stored.size_bytes,
        declared_media_type=stored.media_type,
        created_at=stored.created_at,
        metadata=dict(stored.metadata),
    )


def removal_message(state: UploadState, now: datetime) -> StoredEvent:
    """What Cloud Storage says when the object is gone."""
    return deleted_message(ObjectDeletedV1(upload=state.ref.model_copy(update={"run": 0})), now)


def as_published(heard: Heard[Any], only_for: str | None = None, event_id: str | None = None) -> StoredEvent:
    """The message an event was, as far as anyone can tell it from the first one."""
    event: EventData = heard.data
    (source,) = type(event).publishers
    span = hashlib.sha256(heard.event_id.encode()).hexdigest()[:16]
    message = codec.encode(
        event,
        event_id=event_id or heard.event_id,
        source=source,
        time=heard.time,
        trace={"traceparent": f"00-{heard.trace_id}-{span}-01"} if heard.trace_id else {},
    )
    address = {codec.ONLY_FOR: only_for} if only_for else {}
    return message.model_copy(update={"attributes": {**message.attributes, **address}})


def _for_search(heard: Heard[Any], attempt: int | None) -> StoredEvent:
    name = subscription(Service.SEARCH, type(heard.data)).name
    event_id = None if attempt is None else derived_event_id("again", heard.event_id, str(attempt))
    return as_published(heard, name, event_id)


def _of_generation(state: UploadState) -> Sequence[Heard[Any]]:
    heard = (state.processed, state.analyzed, state.embedded, state.beside)
    return [one for one in heard if one is not None and one.version[0] == state.generation]


def _as_of_run(state: UploadState, heard: Heard[Any]) -> Heard[Any]:
    """A result that the present run carries on is announced as one of it: search may have deleted all runs before."""
    if not _is_carried(state, heard):
        return heard
    event_id = derived_event_id("carried", heard.event_id, str(state.run))
    data = heard.data.model_copy(update={"upload": state.ref})
    return heard.model_copy(update={"event_id": event_id, "data": data})


def _is_carried(state: UploadState, heard: Heard[Any]) -> bool:
    if state.from_stage is None or heard.version >= state.version:
        return False
    (stage,) = type(heard.data).publishers
    return STAGES.index(stage) < STAGES.index(state.from_stage)
