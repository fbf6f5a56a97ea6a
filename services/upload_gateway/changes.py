"""Turns what an owner wants done to an upload into its new state and the event that tells the others."""

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.artifacts import FailureCode, Service
from contracts.events import UploadDeletedV1
from hosting.answers import ApiError, not_found
from identity.principal import Principal
from objectstore.store import ObjectNotFoundError
from telemetry.propagation import current_trace_id
from upload_gateway import claiming, quota
from upload_gateway import uploads as states
from upload_gateway.announcing import announce
from upload_gateway.reprocessing import has_input, latest_start, reprocess_event
from upload_gateway.republishing import announce_carried
from upload_gateway.resources import Resources
from upload_gateway.store import sessions, uploads
from upload_gateway.uploads import UploadState, standing_failure

_UNPAID = (FailureCode.NETWORK, FailureCode.QUOTA_EXCEEDED)
"""Trouble of the system in which the step that failed cost nothing: a retry is the rest of what was counted before."""


@dataclass(frozen=True)
class Started:
    """A run that has begun."""

    upload_id: str
    run: int
    from_stage: Service


@dataclass(frozen=True)
class Deleted:
    """An upload that is gone from lists and search; ``purged`` when it cannot come back."""

    deleted_at: datetime
    purged: bool


async def delete_upload(resources: Resources, user_id: str, upload_id: str, now: datetime, *, purge: bool) -> Deleted:
    """Deletes or purges; doing it again changes nothing. 404, 409 while the file is being streamed.

    An upload whose session is still open is called off: as if it had never been asked for.
    """
    if await _called_off(resources, user_id, upload_id):
        return Deleted(now, purged=True)
    async with resources.database.transaction(user_id) as session:
        state = await _existing(session, upload_id)
        if not (state.removed or (state.deleted and not purge)):
            state = states.delete(state, now, purge=purge)
            await uploads.save(session, state)
            await announce(session, UploadDeletedV1(upload=state.ref, purge=purge), str(state.changes))
    resources.announced()
    return Deleted(state.deleted_at or state.removed_at or now, state.purged or state.bytes_gone)


async def restore_upload(resources: Resources, user_id: str, upload_id: str, charged: Principal | None) -> Started:
    """Undeletes, and begins a run that makes only vectors anew, or what was never finished.

    404, 409 when it is not deleted or its bytes are gone; 429.
    """
    try:
        started = await _restore(resources, user_id, upload_id, charged, keep_claim=True)
    except IntegrityError:  # the same bytes were uploaded again meanwhile
        started = await _restore(resources, user_id, upload_id, charged, keep_claim=False)
    resources.announced()
    return started


async def _restore(
    resources: Resources, user_id: str, upload_id: str, charged: Principal | None, *, keep_claim: bool
) -> Started:
    async with resources.database.transaction(user_id) as session:
        state = await _existing(session, upload_id)
        if state.removed:
            raise ApiError(409, "gone", "The file's bytes have been removed; it cannot be brought back.")
        if not state.deleted:
            raise ApiError(409, "not_deleted", "This upload is not deleted.")
        # Whoever deleted many by mistake gets them all back; who goes to and fro is counted.
        counted = charged if state.run else None
        state = states.restore(state if keep_claim else states.give_up_claim(state))
        state = await _begin(resources, session, state, states.first_unheard(state), counted)
        await announce_carried(session, state)
        return _started(state)


async def retry_upload(resources: Resources, user_id: str, upload_id: str, charged: Principal | None) -> Started:
    """A new run from the stage that failed, or the last one before it whose input is known. 404, 409, 429."""
    async with resources.database.transaction(user_id) as session:
        state = await _visible(session, upload_id)
        failure = standing_failure(state)
        if failure is None or state.ownerless:
            raise ApiError(409, "not_failed", "Only a failed upload can be retried.")
        counted = None if failure.code in _UNPAID else charged
        state = await _begin(resources, session, state, failure.stage, counted)
    resources.announced()
    return _started(state)


async def process_upload(
    resources: Resources, user_id: str, upload_id: str, from_stage: Service, charged: Principal | None
) -> Started:
    """A new run from the stage asked for. 404, 409 when its input is not known yet; 429."""
    async with resources.database.transaction(user_id) as session:
        state = await _visible(session, upload_id)
        if state.ownerless or not has_input(state, from_stage):
            raise _not_ready()
        state = await _begin(resources, session, state, from_stage, charged)
    resources.announced()
    return _started(state)


async def _begin(
    resources: Resources, session: AsyncSession, state: UploadState, wanted: Service, charged: Principal | None
) -> UploadState:
    """``charged`` is on whose day the run counts, None for nobody's."""
    start = latest_start(state, wanted)
    if start is None:
        raise _not_ready()
    if charged is not None:
        await quota.take(session, charged, resources.quotas, datetime.now(UTC))
    state = states.begin_run(state, start, current_trace_id())
    await uploads.save(session, state)
    await announce(session, reprocess_event(state), str(state.generation), str(state.run))
    return state


def _started(state: UploadState) -> Started:
    assert state.from_stage is not None
    return Started(state.upload_id, state.run, state.from_stage)


async def _existing(session: AsyncSession, upload_id: str) -> UploadState:
    state = await uploads.find_for_update(session, upload_id)
    if state is None:
        raise not_found("upload")
    return state


async def _visible(session: AsyncSession, upload_id: str) -> UploadState:
    state = await _existing(session, upload_id)
    if state.deleted or state.removed:
        raise not_found("upload")
    return state


async def _called_off(resources: Resources, user_id: str, upload_id: str) -> bool:
    """True when the file never came and never will; of one that came, the generation is known afterwards."""
    async with resources.database.transaction(user_id) as session:
        row = await uploads.find(session, user_id, upload_id)
        opened = await sessions.find(session, user_id, upload_id)
    if row is None or row.generation:
        return False
    if opened is not None:
        await resources.objects.cancel_session(opened.session_url)
    try:
        stored = await resources.objects.stat(row.bucket, row.object_name)
    except ObjectNotFoundError:
        if opened is None and datetime.now(UTC) < claiming.expected_until(row):
            raise ApiError(409, "still_arriving", "The file is still arriving. Try again in a moment.") from None
        return await claiming.forget_unstored(resources, user_id, upload_id)
    async with resources.database.transaction(user_id) as session:
        state = await uploads.find_for_update(session, upload_id)
        if state is not None:
            await uploads.save(session, states.mark_stored(state, stored.generation))
    return False


def _not_ready() -> ApiError:
    return ApiError(409, "not_ready", "What this stage works on is not there yet.")
