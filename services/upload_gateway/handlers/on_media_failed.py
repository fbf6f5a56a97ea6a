"""MediaFailedV1 → the upload is failed, with reason and advice."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.artifacts import Service
from contracts.envelope import Envelope, EventData
from contracts.events import MediaFailedV1
from eventing.handlers import Projection, StageInputs
from upload_gateway.handlers.projecting import project


async def on_media_failed(
    envelope: Envelope[MediaFailedV1], session: AsyncSession, _inputs: StageInputs
) -> Sequence[EventData]:
    """Announces nothing."""
    await project(envelope, envelope.data.upload, session)
    return ()


def media_failed() -> Projection[MediaFailedV1]:
    """For the runtime."""
    return Projection(
        service=Service.UPLOAD_GATEWAY,
        event=MediaFailedV1,
        tenant_of=lambda event: event.upload.user_id,
        handle=on_media_failed,
    )
