"""Applies one event to the row of its upload: lock, apply, save."""

from typing import TypeVar

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.artifacts import UploadRef
from contracts.envelope import Envelope, EventData
from eventing.errors import Poison
from upload_gateway.store import uploads, users
from upload_gateway.uploads import UploadState, apply, hear

EventT = TypeVar("EventT", bound=EventData)


async def project(envelope: Envelope[EventT], upload: UploadRef, session: AsyncSession) -> UploadState:
    """The upload's state after the event. Raises ``Poison`` when the upload belongs to someone else."""
    before = await uploads.lock(session, upload)
    if before is None:
        raise Poison("the upload belongs to another user")
    owner_known = await users.exists_user(session, upload.user_id)
    after = apply(before, hear(envelope), owner_known=owner_known)
    await uploads.save(session, after)
    return after
