"""Turns an upload's state into what people and lists see: status, stage, progress, words, timings, cost."""

from datetime import datetime
from enum import StrEnum
from itertools import pairwise
from typing import Any, TypeVar

from contracts.artifacts import (
    ArtifactRef,
    Contract,
    Degradation,
    FailureCode,
    Kind,
    MediaProperties,
    Moderation,
    Service,
    Usage,
)
from contracts.envelope import EventData
from contracts.events import MediaAnalyzedV1, MediaProcessedV1
from upload_gateway.failures import ADVICE
from upload_gateway.filenames import for_display
from upload_gateway.uploads import STAGES, Heard, Requested, UploadState, finished_rank, standing_failure

EventT = TypeVar("EventT", bound=EventData)

QUEUED = "queued"
NOT_HERE_YET = "Waiting for the rest of the file."
DONE = "done"


class Status(StrEnum):
    """What became of an upload."""

    PENDING = "pending"
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"
    DELETED = "deleted"


class Failure(Contract):
    """Why an upload failed, and what can be done."""

    code: FailureCode
    message: str
    advice: str
    retryable: bool
    stage: Service


class UploadView(Contract):
    """The columns that are read; every one follows from the state."""

    filename: str
    kind: Kind | None
    media_type: str | None
    size_bytes: int | None
    sha256: str | None
    claimed_sha256: str | None
    status: Status
    stage: str
    progress: int
    error: Failure | None
    trace_id: str | None
    thumbnail: ArtifactRef | None
    preview: ArtifactRef | None
    storyboard: ArtifactRef | None
    properties: MediaProperties | None
    title: str | None
    summary: str | None
    labels: tuple[str, ...]
    language: str | None
    degradations: tuple[Degradation, ...]
    timings: dict[str, float]
    processing_s: float | None
    attempts: int
    usage: Usage
    ownerless: bool
    hidden_at: datetime | None
    expected_until: datetime | None
    bytes_gone: bool
    created_at: datetime


_WORDS = {
    QUEUED: "Waiting to be read.",
    Service.MEDIA_PROCESSOR.value: "Reading the file.",
    Service.ANALYZER.value: "Understanding what is in it.",
    Service.EMBEDDER.value: "Preparing it for search by meaning.",
    Service.SEARCH.value: "Adding it to the search index.",
    DONE: "Ready: it can be found.",
}
_PROGRESS_AFTER = (10, 40, 65, 90, 100)


def view(state: UploadState, now: datetime) -> UploadView:
    """Everything shown of an upload; ``now`` stands in for its age as long as nothing has told it."""
    processed = _current(state, state.processed)
    analyzed = _current(state, state.analyzed)
    finalized = _current(state, state.finalized)
    requested = state.requested if _is_of(state, state.requested and state.requested.generation) else None
    failure = _failure(state)
    status, stage, progress = _where(state, failure)
    hidden = status is Status.DELETED
    return UploadView(
        filename=for_display(state.requested.filename if state.requested else state.object_name),
        kind=processed.kind if processed else requested and requested.kind,
        media_type=processed.media_type if processed else requested and requested.media_type,
        size_bytes=(processed or finalized or requested or _NOTHING).size_bytes,
        sha256=processed.sha256 if processed else requested and requested.sha256,
        claimed_sha256=None if hidden else _claimed(requested, processed),
        status=status,
        stage=stage,
        progress=progress,
        error=failure if status is Status.FAILED else None,
        trace_id=_trace_id(state),
        thumbnail=processed and processed.thumbnail,
        preview=processed and processed.preview,
        storyboard=processed and processed.storyboard,
        properties=processed and processed.properties,
        title=analyzed and analyzed.title,
        summary=analyzed and analyzed.summary,
        labels=analyzed.labels if analyzed else (),
        language=analyzed and analyzed.language,
        degradations=_degradations(processed, analyzed),
        timings=_timings(state),
        processing_s=_processing_s(state),
        attempts=state.run + (state.failure.data.attempts if state.failure and failure else 1),
        usage=_usage(state),
        ownerless=state.ownerless,
        hidden_at=(state.deleted_at if state.deleted else state.removed_at) if hidden else None,
        expected_until=requested.expected_until if requested and not state.generation else None,
        bytes_gone=state.bytes_gone,
        created_at=_created_at(state, now),
    )


def _created_at(state: UploadState, now: datetime) -> datetime:
    if state.requested:
        return state.requested.created_at
    return min((heard.time for heard in _slots(state)), default=now)


def _claimed(requested: Requested | None, processed: MediaProcessedV1 | None) -> str | None:
    """The content this upload stands for; a sender who was mistaken about it claims nothing."""
    if requested is None or not requested.claims_content:
        return None
    return requested.sha256 if processed is None or processed.sha256 == requested.sha256 else None


def _degradations(processed: MediaProcessedV1 | None, analyzed: MediaAnalyzedV1 | None) -> tuple[Degradation, ...]:
    """What was left out or could not be done, stage after stage."""
    return (
        *(processed.degradations if processed else ()),
        *(analyzed.degradations if analyzed else ()),
        *(_held_out(analyzed.moderation) if analyzed else ()),
    )


def _held_out(moderation: Moderation) -> tuple[Degradation, ...]:
    """What the owner is told of a file that search holds back."""
    if not moderation.flagged:
        return ()
    why = ", ".join(moderation.categories) or "moderation"
    return (Degradation(step="moderation", reason=f"Held out of search unless asked for: {why}."[:500]),)


def in_words(status: str, stage: str, error: Failure | None, *, arrived: bool) -> str:
    """One plain sentence about where the upload is; ``arrived`` once the bucket holds its object."""
    if error is not None:
        return error.message
    if status == Status.DELETED:
        return "Deleted."
    if not arrived:
        return NOT_HERE_YET
    return _WORDS[stage]


class _Nothing(Contract):
    size_bytes: int | None = None


_NOTHING = _Nothing()


def _where(state: UploadState, failure: Failure | None) -> tuple[Status, str, int]:
    rank = finished_rank(state)
    if rank == 0 and state.run and state.from_stage:
        rank = STAGES.index(state.from_stage)
    done = rank == len(STAGES)
    stage = DONE if done else STAGES[rank].value
    progress = _PROGRESS_AFTER[rank]
    if state.deleted or state.removed:
        return Status.DELETED, stage, progress
    if failure is not None:
        return Status.FAILED, failure.stage.value, progress
    if done:
        return Status.COMPLETED, stage, progress
    if rank == 0 and not state.run and _current(state, state.finalized) is None:
        return Status.PENDING, QUEUED, 0
    return Status.PROCESSING, stage, progress


def _failure(state: UploadState) -> Failure | None:
    if state.ownerless:
        code, stage, retryable = FailureCode.UNKNOWN_OWNER, Service.UPLOAD_GATEWAY, False
        message = "The object does not lie under the prefix of a user that exists."
    else:
        found = standing_failure(state)
        if found is None:
            return None
        code, stage, message, retryable = found.code, found.stage, found.message, found.retryable
    advice = ADVICE[code]
    return Failure(code=code, message=message, advice=advice.text, retryable=retryable or advice.retryable, stage=stage)


def _timings(state: UploadState) -> dict[str, float]:
    """Seconds from one stage's result to the next, as far as both belong to the version that counts."""
    version = state.version
    steps: list[tuple[str, Heard[Any] | None]] = [
        ("received", state.finalized),
        (Service.MEDIA_PROCESSOR.value, state.processed),
        (Service.ANALYZER.value, state.analyzed),
        (Service.EMBEDDER.value, state.embedded),
        (Service.SEARCH.value, state.indexed),
    ]
    timings: dict[str, float] = {}
    for (_, before), (name, after) in pairwise(steps):
        if before and after and before.version == after.version == version:
            timings[name] = _seconds(before, after)
    return timings


def _processing_s(state: UploadState) -> float | None:
    first, last = state.finalized, state.indexed
    if first is None or last is None or not (first.version == last.version == state.version):
        return None
    return _seconds(first, last)


def _seconds(before: Heard[Any], after: Heard[Any]) -> float:
    return round(max((after.time - before.time).total_seconds(), 0.0), 3)


def _trace_id(state: UploadState) -> str | None:
    if state.run and state.run_trace_id:
        return state.run_trace_id
    if state.requested and _is_of(state, state.requested.generation):
        return state.requested.trace_id
    known = [heard.trace_id for heard in _slots(state) if heard.version[0] == state.generation and heard.trace_id]
    return known[0] if known else None


def _slots(state: UploadState) -> list[Heard[Any]]:
    slots = (state.finalized, state.processed, state.analyzed, state.embedded, state.indexed, state.failure)
    return [slot for slot in slots if slot is not None]


def _current(state: UploadState, heard: Heard[EventT] | None) -> EventT | None:
    return heard.data if heard and heard.version[0] == state.generation else None


def _is_of(state: UploadState, generation: int | None) -> bool:
    return generation is None or generation == state.generation


def _usage(state: UploadState) -> Usage:
    """What the results that are known, and the failure, cost together."""
    usages = [heard.data.usage for heard in (state.analyzed, state.embedded, state.beside, state.failure) if heard]
    return Usage(
        input_tokens=sum(u.input_tokens for u in usages),
        output_tokens=sum(u.output_tokens for u in usages),
        cost_usd=sum(u.cost_usd for u in usages),
    )
