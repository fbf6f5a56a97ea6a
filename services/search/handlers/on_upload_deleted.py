"""upload.deleted.v1 → nothing but a tombstone remains: the file is gone from all results."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.artifacts import Service
from contracts.envelope import Envelope, EventData
from contracts.events import UploadDeletedV1
from eventing.handlers import Projection, StageInputs
from search.store import files


def projection() -> Projection[UploadDeletedV1]:
    """The handler with its event and tenant."""
    return Projection(Service.SEARCH, UploadDeletedV1, lambda event: event.upload.user_id, handle)


async def handle(
    envelope: Envelope[UploadDeletedV1], session: AsyncSession, _inputs: StageInputs
) -> Sequence[EventData]:
    """Deletes everything of the file; the tombstone keeps late events of the same run from reviving it."""
    upload = envelope.data.upload
    known = await files.lock(session, upload)
    await files.apply_state(session, upload, known, known.deleted(upload))
    await files.let_go_of_tombstones(session, upload.user_id)
    return ()
