"""ObjectFinalizedV1 → the upload has its object; one that belongs to nobody is kept as failed, a folder is none."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.artifacts import Service
from contracts.envelope import Envelope, EventData
from contracts.events import ObjectFinalizedV1, UploadDeletedV1
from contracts.identifiers import is_folders_placeholder
from eventing.handlers import Projection, StageInputs
from upload_gateway.handlers.projecting import project
from upload_gateway.quota import day_of
from upload_gateway.store import quotas


async def on_object_finalized(
    envelope: Envelope[ObjectFinalizedV1], session: AsyncSession, _inputs: StageInputs
) -> Sequence[EventData]:
    """Announces the end of an upload without owner."""
    upload = envelope.data.upload
    if is_folders_placeholder(upload.object_name, envelope.data.size_bytes):
        return ()
    state = await project(envelope, upload, session)
    if upload.generation <= state.ownerless_generation:
        return (UploadDeletedV1(upload=upload),)
    if state.requested is None or state.requested.generation != upload.generation:
        # A drop: its bytes are there, so it is counted and never refused. The inbox lets it pass once.
        await quotas.take(session, upload.user_id, day_of(envelope.time), None)
    return ()


def projection() -> Projection[ObjectFinalizedV1]:
    """For the runtime."""
    return Projection(
        service=Service.UPLOAD_GATEWAY,
        event=ObjectFinalizedV1,
        tenant_of=lambda event: event.upload.user_id,
        handle=on_object_finalized,
    )
