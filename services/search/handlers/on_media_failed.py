"""media.failed.v1 → the run is no longer counted among those being processed."""

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
    """Whatever of the file was indexed before stays findable."""
    upload = envelope.data.upload
    known = await files.lock(session, upload)
    if known.wants(upload, FAILED):
        await files.make_way(session, known, upload)
        await files.write_failed(session, upload)
    return ()
