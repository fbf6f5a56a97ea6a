"""object.finalized.v1 → until its first stage is done the file counts as being processed."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.artifacts import Service
from contracts.envelope import Envelope, EventData
from contracts.events import ObjectFinalizedV1
from contracts.identifiers import is_folders_placeholder
from eventing.handlers import Projection, StageInputs
from search.store import arrivals, files


def projection() -> Projection[ObjectFinalizedV1]:
    """The handler with its event and tenant."""
    return Projection(Service.SEARCH, ObjectFinalizedV1, lambda event: event.upload.user_id, handle)


async def handle(
    envelope: Envelope[ObjectFinalizedV1], session: AsyncSession, _inputs: StageInputs
) -> Sequence[EventData]:
    """Notes the version, unless something is known of it already; an earlier one stays findable meanwhile."""
    event, upload = envelope.data, envelope.data.upload
    if is_folders_placeholder(upload.object_name, event.size_bytes):
        return ()
    if (await files.state(session, upload)).awaits(upload):
        await arrivals.note(session, upload)
    return ()
