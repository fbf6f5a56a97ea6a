"""Turns a file about to arrive into its pending row, counted and alone of its content, or into why that cannot be.

Row, quota and session commit together; whatever never arrives gives all three back.
"""

from datetime import UTC, datetime, timedelta

from hosting.answers import ApiError
from identity.principal import Principal
from objectstore.store import ObjectNotFoundError
from upload_gateway import quota
from upload_gateway.resources import Resources
from upload_gateway.store import quotas, sessions, uploads
from upload_gateway.store.sessions import SessionRow
from upload_gateway.store.uploads import UploadRow
from upload_gateway.uploads import UploadState

ABANDONED_AFTER = timedelta(minutes=5)
"""A streamed upload whose object did not become visible for so long after its row was cut off."""


async def expect_room(resources: Resources, owner: Principal) -> None:
    """429 when the day's quota is used up already."""
    async with resources.database.transaction(owner.user_id) as session:
        await quota.expect_room(session, owner, resources.quotas, datetime.now(UTC))


async def expect_new(resources: Resources, owner: Principal, sha256: str) -> None:
    """409 when the user has these bytes already."""
    async with resources.database.transaction(owner.user_id) as session:
        existing = await uploads.find_same_content(session, owner.user_id, sha256)
    if existing is not None and not await forget_if_abandoned(resources, existing):
        raise duplicate_of(existing)


async def claim(resources: Resources, owner: Principal, state: UploadState, opened: SessionRow | None = None) -> None:
    """Writes the row; 409 when the user has these bytes already, 429 when the day's quota is used up."""
    requested = state.requested
    assert requested is not None
    for _ in range(3):
        async with resources.database.transaction(owner.user_id) as session:
            existing = None
            if requested.claims_content and requested.sha256:
                existing = await uploads.find_same_content(session, owner.user_id, requested.sha256)
            if existing is None and await uploads.claim(session, state):
                await quota.take(session, owner, resources.quotas, requested.created_at)
                if opened is not None:
                    await sessions.add(session, opened)
                return
        if existing is not None and not await forget_if_abandoned(resources, existing):
            raise duplicate_of(existing)
    raise ApiError(409, "duplicate", "The same file is being uploaded right now.")


async def forget_unstored(resources: Resources, user_id: str, upload_id: str) -> bool:
    """As if the upload had never been asked for; False when the bucket has told of its object."""
    async with resources.database.transaction(user_id) as session:
        created_at = await uploads.forget_unstored(session, upload_id)
        if created_at is not None:
            await quotas.release(session, user_id, quota.day_of(created_at))
    return created_at is not None


async def forget_if_abandoned(resources: Resources, upload: UploadRow) -> bool:
    """Removes an upload that was cut off between its row and its object; False for any other."""
    may_arrive = datetime.now(UTC) < expected_until(upload) and upload.upload_id not in resources.unstored
    if upload.generation > 0 or may_arrive:
        return False
    try:
        await resources.objects.stat(upload.bucket, upload.object_name)
    except ObjectNotFoundError:
        forgotten = await forget_unstored(resources, upload.user_id, upload.upload_id)
        resources.unstored.discard(upload.upload_id)
        return forgotten
    return False


def expected_until(upload: UploadRow) -> datetime:
    """When the object must have become visible; after that the upload was cut off or its session expired."""
    return upload.expected_until or upload.created_at + ABANDONED_AFTER


def duplicate_of(existing: UploadRow) -> ApiError:
    """409 with the upload that is there already; a pending one may be a session to go on with."""
    details = {"upload_id": existing.upload_id, "filename": existing.filename, "status": existing.status.value}
    return ApiError(409, "duplicate", "You have uploaded this very file before.", details=details)
