"""user.changed.v1 → the principal and the hashes of their API keys."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.artifacts import Service
from contracts.envelope import Envelope, EventData
from contracts.events import UserChangedV1
from eventing.handlers import Projection, StageInputs
from search.store import principals


def projection() -> Projection[UserChangedV1]:
    """The handler with its event and tenant."""
    return Projection(Service.SEARCH, UserChangedV1, lambda event: event.user_id, handle)


async def handle(envelope: Envelope[UserChangedV1], session: AsyncSession, _inputs: StageInputs) -> Sequence[EventData]:
    """Replaces the principal, unless the same or a newer version is stored."""
    await principals.write(session, envelope.data)
    return ()
