"""Turns one place where bucket and table may differ into what is wrong there: pure, for reconcile to report and fix."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from pydantic import Field

from contracts.artifacts import Contract, UploadRef
from contracts.identifiers import UploadId, UserId, is_folders_placeholder, is_user_id
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
    """Derived files of an original that is not there, or of a purged upload."""


class Derived(Contract):
    """The version that derived files belong to. Their names tell no more: nothing here names an original."""

    user_id: UserId
    upload_id: UploadId
    generation: int = Field(ge=1)
    run: int

    @property
    def key(self) -> tuple[str, int]:
        """Upload and generation: what one original is told by."""
        return (self.upload_id, self.generation)

    @property
    def folder(self) -> str:
        """What the names of all the upload's derived files begin with."""
        return f"{self.user_id}/{self.upload_id}/"

    def named(self, uploads_bucket: str) -> UploadRef:
        """As a deletion of derived files names it: as far as the name of its original is known."""
        return UploadRef(
            upload_id=self.upload_id,
            user_id=self.user_id,
            bucket=uploads_bucket,
            object_name=self.folder,
            generation=self.generation,
            run=self.run,
        )


@dataclass(frozen=True)
class Finding:
    """One difference. ``state`` and ``stored`` are what the two sides hold."""

    problem: Problem
    name: str
    upload_id: str | None
    state: UploadState | None = None
    stored: StoredObject | None = None
    derived: Derived | None = None


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


def derived_version(key: str) -> Derived | None:
    """The version an artifact belongs to, read off its name ``user/upload/generation/run/…``; None for other names."""
    parts = key.split("/", 4)
    if len(parts) < 5 or not is_user_id(parts[0]) or not (parts[2].isdecimal() and parts[3].isdecimal()):
        return None
    try:
        return Derived(user_id=parts[0], upload_id=parts[1], generation=int(parts[2]), run=int(parts[3]))
    except ValueError:
        return None


def is_orphaned(derived: Derived, state: UploadState | None, with_original: Collection[tuple[str, int]]) -> bool:
    """Whether derived files have lost their upload. Those of earlier generations are the purge's business.

    One that nobody knows of, but whose original is in the bucket (its :attr:`Derived.key` is in ``with_original``), is
    a missing upload: what was derived from it is used again.
    """
    if state is None:
        return derived.key not in with_original
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
