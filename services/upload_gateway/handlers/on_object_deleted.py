"""ObjectDeletedV1 → the upload is deleted, unless a newer generation took the object's place."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.artifacts import Service
from contracts.envelope import Envelope, EventData
from contracts.events import ObjectDeletedV1, UploadDeletedV1
from eventing.handlers import Projection, StageInputs
from upload_gateway.handlers.projecting import project
from upload_gateway.store import purging


async def on_object_deleted(
    envelope: Envelope[ObjectDeletedV1], session: AsyncSession, _inputs: StageInputs
) -> Sequence[EventData]:
    """Announces the end of every run over the removed generation, and notes it for the purge.

    Not with ``purge`` at once: a stage may be reading what was derived from it, and would take it for damage.
    """
    upload = envelope.data.upload
    state = await project(envelope, upload, session)
    run = state.run if state.generation == upload.generation else 0
    removed = upload.model_copy(update={"run": run})
    await purging.note_removed(session, removed, envelope.time)
    return (UploadDeletedV1(upload=removed),)


def projection() -> Projection[ObjectDeletedV1]:
    """For the runtime."""
    return Projection(
        service=Service.UPLOAD_GATEWAY,
        event=ObjectDeletedV1,
        tenant_of=lambda event: event.upload.user_id,
        handle=on_object_deleted,
    )
