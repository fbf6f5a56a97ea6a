"""MediaIndexedV1 → the upload is completed."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.artifacts import Service
from contracts.envelope import Envelope, EventData
from contracts.events import MediaIndexedV1
from eventing.handlers import Projection, StageInputs
from upload_gateway.handlers.projecting import project


async def on_media_indexed(
    envelope: Envelope[MediaIndexedV1], session: AsyncSession, _inputs: StageInputs
) -> Sequence[EventData]:
    """Announces nothing."""
    await project(envelope, envelope.data.upload, session)
    return ()


def media_indexed() -> Projection[MediaIndexedV1]:
    """For the runtime."""
    return Projection(
        service=Service.UPLOAD_GATEWAY,
        event=MediaIndexedV1,
        tenant_of=lambda event: event.upload.user_id,
        handle=on_media_indexed,
    )
