"""media.processed.v1 → the file's row: the file can be found by name and metadata at once."""

import asyncio
from collections.abc import Sequence

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.artifacts import Kind, Service
from contracts.envelope import Envelope, EventData
from contracts.events import MediaProcessedV1
from eventing.errors import Poison
from eventing.handlers import Projection, StageInputs
from search.image_hash import PictureUnreadable, difference_hash
from search.lifecycle import PROCESSED
from search.store import files

_log = structlog.get_logger()


def projection() -> Projection[MediaProcessedV1]:
    """The handler with its event and tenant."""
    return Projection(Service.SEARCH, MediaProcessedV1, lambda event: event.upload.user_id, handle)


async def handle(
    envelope: Envelope[MediaProcessedV1], session: AsyncSession, inputs: StageInputs
) -> Sequence[EventData]:
    """Writes name, metadata and image hash, unless those of a later run or generation are stored."""
    event = envelope.data
    # Checked before the thumbnail is read: that of a deleted upload may be gone. No lock is held while it is fetched.
    if not (await files.state(session, event.upload)).wants(event.upload, PROCESSED):
        return ()
    image_hash = await _image_hash(event, inputs)
    known = await files.lock(session, event.upload)
    if known.wants(event.upload, PROCESSED):
        await files.replace_generation(session, known, event.upload)
        await files.write_processed(session, event, image_hash)
    return ()


async def _image_hash(event: MediaProcessedV1, inputs: StageInputs) -> int | None:
    """Returns the hash of a picture's or film's thumbnail; None if it has none or it cannot be read."""
    if event.thumbnail is None or event.kind not in (Kind.IMAGE, Kind.VIDEO):
        return None
    try:
        return await asyncio.to_thread(difference_hash, await inputs.read(event.thumbnail))
    except (Poison, PictureUnreadable) as error:
        _log.warning(
            "thumbnail not compared", action="index", upload_id=event.upload.upload_id, reason=str(error)[:200]
        )
        return None
