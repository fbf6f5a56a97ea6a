"""Applies one event to the row of its upload: lock, apply, save; and the handlers that do nothing else."""

from collections.abc import Sequence
from typing import TypeVar

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.artifacts import Service, UploadRef
from contracts.envelope import Envelope, EventData
from contracts.events import MediaAnalyzedV1, MediaEmbeddedV1, MediaFailedV1, MediaIndexedV1, MediaProcessedV1
from eventing.errors import Poison
from eventing.handlers import Projection, StageInputs
from upload_gateway.metrics import count_steps
from upload_gateway.store import uploads, users
from upload_gateway.uploads import UploadState, apply, hear

EventT = TypeVar("EventT", bound=EventData)
StepT = TypeVar("StepT", bound=MediaProcessedV1 | MediaAnalyzedV1 | MediaEmbeddedV1 | MediaIndexedV1 | MediaFailedV1)


async def project(envelope: Envelope[EventT], upload: UploadRef, session: AsyncSession) -> UploadState:
    """The upload's state after the event. Raises ``Poison`` when the upload belongs to someone else."""
    before = await uploads.lock(session, upload)
    if before is None:
        raise Poison("the upload belongs to another user")
    owner_known = _owner_was_known(before) or await users.exists_user(session, upload.user_id)
    after = apply(before, hear(envelope), owner_known=owner_known)
    await uploads.save(session, after)
    count_steps(session, before, after)
    return after


def status_projection(event: type[StepT]) -> Projection[StepT]:
    """Takes the event into the upload's status and announces nothing."""

    async def handle(envelope: Envelope[StepT], session: AsyncSession, _inputs: StageInputs) -> Sequence[EventData]:
        await project(envelope, envelope.data.upload, session)
        return ()

    return Projection(Service.UPLOAD_GATEWAY, event, lambda data: data.upload.user_id, handle)


def _owner_was_known(state: UploadState) -> bool:
    """Users are never removed, so whoever was there for an earlier event is there for this one."""
    return state.requested is not None or (state.generation > 0 and not state.ownerless)
