"""media.failed.v1 → the run no longer counts as being processed."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.artifacts import Service
from contracts.envelope import Envelope, EventData
from contracts.events import MediaFailedV1
from eventing.handlers import Projection, StageInputs
from search.lifecycle import FAILED
from search.store import files


def projection() -> Projection[MediaFailedV1]:
    """The handler with its event and tenant."""
    return Projection(Service.SEARCH, MediaFailedV1, lambda event: event.upload.user_id, handle)


async def handle(envelope: Envelope[MediaFailedV1], session: AsyncSession, _inputs: StageInputs) -> Sequence[EventData]:
    """Records the failed run; everything indexed of the file before stays findable."""
    upload = envelope.data.upload
    known = await files.lock(session, upload)
    if known.wants(upload, FAILED):
        await files.replace_generation(session, known, upload)
        await files.write_failed(session, upload)
    return ()
