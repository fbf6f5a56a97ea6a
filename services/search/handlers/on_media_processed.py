"""media.processed.v1 → the file's row: it can be found by name and metadata at once."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.artifacts import Service
from contracts.envelope import Envelope, EventData
from contracts.events import MediaProcessedV1
from eventing.handlers import Projection, StageInputs
from search.lifecycle import PROCESSED
from search.store import files


def projection() -> Projection[MediaProcessedV1]:
    """The handler with its event and tenant."""
    return Projection(Service.SEARCH, MediaProcessedV1, lambda event: event.upload.user_id, handle)


async def handle(
    envelope: Envelope[MediaProcessedV1], session: AsyncSession, _inputs: StageInputs
) -> Sequence[EventData]:
    """Writes name and metadata unless a later run or generation has."""
    event = envelope.data
    known = await files.lock(session, event.upload)
    if known.wants(event.upload, PROCESSED):
        await files.make_way(session, known, event.upload)
        await files.write_processed(session, event)
    return ()
