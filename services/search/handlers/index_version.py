"""Makes a projection also increment the version of the user's index, in the same transaction."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.envelope import Envelope, EventData
from eventing.handlers import Projection, StageInputs
from search.store import index_versions


def bumping_index_version(projection: Projection[Any]) -> Projection[Any]:
    """Returns the same projection; cached answers of its user are outdated once it has committed."""

    async def handle(envelope: Envelope[Any], session: AsyncSession, inputs: StageInputs) -> Sequence[EventData]:
        announced = await projection.handle(envelope, session, inputs)
        await index_versions.bump(session, projection.tenant_of(envelope.data))
        return announced

    return replace(projection, handle=handle)
