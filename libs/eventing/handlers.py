"""The two shapes of a handler: ``Stage`` (event + inputs → Outcome) and ``Projection`` (event + session → rows).

A stage knows no database, broker or clock. A projection writes rows in its own schema and may return events.
"""

import hashlib
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from pydantic import BaseModel

from contracts.artifacts import ArtifactRef, Service, UploadRef
from contracts.envelope import Envelope, EventData

if TYPE_CHECKING:  # stages run without a database driver installed
    from sqlalchemy.ext.asyncio import AsyncSession

EventT = TypeVar("EventT", bound=EventData)
EventT_contra = TypeVar("EventT_contra", bound=EventData, contravariant=True)
ModelT = TypeVar("ModelT", bound=BaseModel)


@dataclass(frozen=True)
class NewArtifact:
    """An artifact a stage produced: its reference, and its content as bytes or a file in the stage's workdir."""

    ref: ArtifactRef
    content: bytes | Path


@dataclass(frozen=True)
class Purge:
    """What to remove for ever: all artifacts below the prefix ``derived``, and that one version of an original.

    Only the artifacts bucket is ever emptied by prefix. An original goes by its exact name and generation; a newer one
    is a new life of the object and stays.
    """

    derived: str
    original: UploadRef | None = None


@dataclass(frozen=True)
class Outcome:
    """All a stage produced. The runtime stores artifacts, then the manifest, then announces the events.

    Only the handler of upload.deleted returns a ``purge``.
    """

    artifacts: Sequence[NewArtifact] = ()
    events: Sequence[EventData] = ()
    purge: Purge | None = None


class StageInputs(Protocol):
    """What a stage may read, and where it may put temporary files (removed after the handler returns)."""

    @property
    def workdir(self) -> Path:
        """An empty directory of this one delivery."""
        ...

    async def download_source(self, upload: UploadRef, max_bytes: int) -> Path:
        """The original, streamed to a file in the workdir, unpacked if it is stored packed.

        Raises ``Discard`` when that generation is gone, ``Reject(file_size)`` when it has more than ``max_bytes``.
        """
        ...

    async def read(self, ref: ArtifactRef) -> bytes:
        """An artifact's bytes, hash checked. Raises ``Poison`` when it is missing or differs."""
        ...

    async def read_model(self, ref: ArtifactRef, model: type[ModelT]) -> ModelT:
        """A JSON artifact as a model. Raises ``Poison`` when it is missing or does not fit."""
        ...

    def artifact(self, name: str, media_type: str, content: bytes | Path) -> NewArtifact:
        """Names a new artifact (nothing is written yet): ``name`` like ``thumbnail.jpg``, unique in the stage."""
        ...

    def model_artifact(self, name: str, model: BaseModel) -> NewArtifact:
        """A model as a JSON artifact."""
        ...


class StageHandler(Protocol[EventT_contra]):
    """The work of a stage on one event."""

    async def __call__(self, event: EventT_contra, inputs: StageInputs, /) -> Outcome:
        """Returns what was produced; raises one of :mod:`eventing.errors`, or anything for a defect."""
        ...


@dataclass(frozen=True)
class Stage(Generic[EventT]):
    """A stage's handler for one event.

    ``version`` names algorithm, model and prompt: a new one recomputes, the same one never does.
    ``upload_of`` says which version of which upload the work belongs to.
    """

    service: Service
    version: str
    event: type[EventT]
    upload_of: Callable[[EventT], UploadRef]
    handle: StageHandler[EventT]


ProjectionHandler = Callable[[Envelope[Any], "AsyncSession", StageInputs], Awaitable[Sequence[EventData]]]
"""``async (envelope, session, inputs) -> events``: writes rows through the session, never commits."""


@dataclass(frozen=True)
class Projection(Generic[EventT]):
    """A projection's handler for one event.

    ``tenant_of`` gives the user id whose rows the transaction may touch (row-level security).
    Returned events go through the outbox, in the same transaction as the rows.
    """

    service: Service
    event: type[EventT]
    tenant_of: Callable[[EventT], str]
    handle: ProjectionHandler


Handler = Stage[Any] | Projection[Any]


@dataclass(frozen=True)
class ManifestKey:
    """Where a stage's memory of one input lies in the artifacts bucket."""

    upload: UploadRef
    stage: Service
    version: str
    inputs_hash: str = field(repr=False)

    @property
    def prefix(self) -> str:
        """``user/upload/generation/run/stage/version-hash/``; every artifact of the run lies below."""
        u = self.upload
        safe_version = "".join(c if c.isalnum() or c in "._" else "_" for c in self.version)
        return f"{u.user_id}/{u.upload_id}/{u.generation}/{u.run}/{self.stage.value}/{safe_version}-{self.inputs_hash}/"

    @property
    def manifest(self) -> str:
        """The manifest's object name."""
        return self.prefix + "manifest.json"


def hash_inputs(event: EventData) -> str:
    """16 hex characters over the event's canonical JSON: the same input finds the same manifest."""
    canonical = json.dumps(event.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()[:16]
