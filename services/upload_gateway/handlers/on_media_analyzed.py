"""MediaAnalyzedV1 → the upload's title, summary and labels."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.artifacts import Service
from contracts.envelope import Envelope, EventData
from contracts.events import MediaAnalyzedV1
from eventing.handlers import Projection, StageInputs
from upload_gateway.handlers.projecting import project


async def on_media_analyzed(
    envelope: Envelope[MediaAnalyzedV1], session: AsyncSession, _inputs: StageInputs
) -> Sequence[EventData]:
    """Announces nothing."""
    await project(envelope, envelope.data.upload, session)
    return ()


def media_analyzed() -> Projection[MediaAnalyzedV1]:
    """For the runtime."""
    return Projection(
        service=Service.UPLOAD_GATEWAY,
        event=MediaAnalyzedV1,
        tenant_of=lambda event: event.upload.user_id,
        handle=on_media_analyzed,
    )
