"""Turns one place where bucket and table may differ into what is wrong there: pure, for reconcile to report and fix."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from contracts.artifacts import UploadRef
from contracts.identifiers import is_folders_placeholder, is_user_id
from objectstore.store import StoredObject
from upload_gateway.uploads import UploadState


class Problem(StrEnum):
    """What differs. Each has one remedy (see ``reconcile``)."""

    MISSING = "missing"
    """An object without an upload, or one whose arrival nobody heard of."""
    CHANGED = "changed"
    """An object whose generation is newer than the upload's."""
    ORPHANED = "orphaned"
    """An upload whose object is not there."""
    DELETED = "deleted"
    """An object that should be gone: its upload is purged."""
    ARTIFACTS = "artifacts"
    """Derived files of an upload that is not there, or is purged."""


@dataclass(frozen=True)
class Finding:
    """One difference. ``state`` and ``stored`` are what the two sides hold."""

    problem: Problem
    name: str
    upload_id: str | None
    state: UploadState | None = None
    stored: StoredObject | None = None
    derived: UploadRef | None = None


def compare(stored: Sequence[StoredObject], states: Sequence[UploadState], settled: datetime) -> Iterator[Finding]:
    """Two lists of the same stretch of names, both in the order of their bytes.

    Objects younger than ``settled`` are still on their way and not judged.
    """
    by_name = {state.object_name: state for state in states}
    for item in stored:
        state = by_name.pop(item.key, None)
        problem = _problem_of(item, state) if item.created_at < settled else None
        if problem is not None:
            yield Finding(problem, item.key, state.upload_id if state else None, state, item)
    for state in by_name.values():
        if state.generation and not state.removed and _last_heard(state) < settled:
            yield Finding(Problem.ORPHANED, state.object_name, state.upload_id, state)


def derived_upload(key: str, uploads_bucket: str) -> UploadRef | None:
    """The version an artifact belongs to, read off its name ``user/upload/generation/run/…``; None for other names."""
    parts = key.split("/", 4)
    if len(parts) < 5 or not is_user_id(parts[0]) or not (parts[2].isdecimal() and parts[3].isdecimal()):
        return None
    user_id, upload_id, generation, run = parts[0], parts[1], int(parts[2]), int(parts[3])
    try:
        return UploadRef(
            upload_id=upload_id,
            user_id=user_id,
            bucket=uploads_bucket,
            object_name=f"{user_id}/{upload_id}/",
            generation=generation,
            run=run,
        )
    except ValueError:
        return None


def is_orphaned(derived: UploadRef, state: UploadState | None) -> bool:
    """Whether derived files have lost their upload. Those of earlier generations are the purge's business."""
    if state is None:
        return True
    return derived.generation == state.generation and state.deleted and state.purged


def _problem_of(item: StoredObject, state: UploadState | None) -> Problem | None:
    if is_folders_placeholder(item.key, item.size_bytes):
        return None
    if state is None or state.generation == 0:
        return Problem.MISSING
    if item.generation > state.generation:
        return Problem.CHANGED
    if item.generation < state.generation:
        return None  # an older listing than the event that told of the newer one
    if state.deleted and state.purged:
        return Problem.DELETED
    return Problem.MISSING if state.finalized is None or state.finalized.version[0] < item.generation else None


def _last_heard(state: UploadState) -> datetime:
    known = [heard.time for heard in (state.finalized, state.processed, state.indexed, state.failure) if heard]
    if state.requested:
        known.append(state.requested.created_at)
    return max(known, default=datetime.min.replace(tzinfo=UTC))
