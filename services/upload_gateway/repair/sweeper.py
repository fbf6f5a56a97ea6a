"""Finds uploads nothing was heard of for too long and publishes what carries them on; in the end, gives them up.

A broker that lost everything costs time, not files: all that is needed to go on stands in the table and the bucket.
"""

from datetime import UTC, datetime, timedelta

import structlog
from prometheus_client import Counter, Gauge
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.artifacts import FailureCode, Service
from contracts.envelope import Envelope, derived_event_id
from contracts.events import MediaFailedV1
from contracts.identifiers import is_folders_placeholder
from objectstore.store import ObjectNotFoundError, StoredObject
from upload_gateway.announcing import announce
from upload_gateway.periodic import PeriodicJob
from upload_gateway.republishing import announce_again, needs_its_object, object_event, stopped_at
from upload_gateway.resources import Resources
from upload_gateway.store import dead_letters, repair, uploads
from upload_gateway.store.repair import Owned
from upload_gateway.tables import ledger
from upload_gateway.uploads import STAGES, UploadState, apply, finished_rank, hear

_BATCH = 100
_KEEP_SWEEPS = timedelta(days=30)
_KEEP_LETTERS = timedelta(days=90)
_KEEP_JOURNAL = timedelta(days=400)
_log = structlog.get_logger()
_swept = Counter("sweeper_uploads", "Silent uploads seen to", ["outcome"])
_silent = Gauge("uploads_silent", "Unfinished uploads nothing was heard of for longer than is usual")


class Sweeper:
    """One round per call of :meth:`sweep`; any number of rounds may be cut off or run at the same time.

    An upload is seen to when it was silent for ``sweep_after``, then at twice the interval each time, and given up
    after ``sweep_attempts``. Doubling spares a long queue, and outlasts a budget that is spent until midnight.
    """

    def __init__(self, resources: Resources) -> None:
        self._resources = resources
        self._after = resources.repair.sweep_after
        self._attempts = resources.repair.sweep_attempts

    async def sweep(self) -> None:
        """Everything that is silent now, a batch at a time, longest silent first."""
        now = datetime.now(UTC)
        while found := await self._silent(now):
            for upload in found:
                outcome = await self._outcome(upload, now)
                _swept.labels(outcome).inc()
                _log.warning("silent upload", upload_id=upload.upload_id, outcome=outcome)
            self._resources.announced()
            if len(found) < _BATCH:
                break
        async with self._resources.database.transaction() as session:
            await repair.forget_sweeps(session, now - _KEEP_SWEEPS)
            await dead_letters.forget_settled(session, now - _KEEP_LETTERS)
            await repair.forget_journal(session, now - _KEEP_JOURNAL)

    async def _silent(self, now: datetime) -> list[Owned]:
        async with self._resources.database.transaction() as session:
            await repair.see_all(session)
            _silent.set(await repair.count_silent(session, now, self._after))
            return list(await repair.silent(session, now, self._after, _BATCH))

    async def _outcome(self, upload: Owned, now: datetime) -> str:
        """Raises only in an outage. One that raises by itself waits for its next turn and holds back no other."""
        try:
            return await self._see_to(upload, now)
        except ConnectionError:
            raise
        except Exception as error:
            # Only the kind of error: its words may be the user's.
            _log.warning("sweep failed", upload_id=upload.upload_id, reason=type(error).__name__)
        async with self._resources.database.transaction(upload.user_id) as session:
            await repair.note_sweep(session, upload.upload_id, now, self._after)
        return "raised"

    async def _see_to(self, upload: Owned, now: datetime) -> str:
        async with self._resources.database.transaction(upload.user_id) as session:
            before = await uploads.find_state(session, upload.user_id, upload.upload_id)
        if before is None:
            return "gone"
        stored = await self._stat(before) if needs_its_object(before) else None
        async with self._resources.database.transaction(upload.user_id) as session:
            state = await uploads.find_for_update(session, upload.upload_id)
            if state != before or state is None:
                return "moved"
            sweeps = await repair.note_sweep(session, upload.upload_id, now, self._after)
            if _is_placeholder(state, stored):
                return await _give_up(session, state, _placeholder(state))
            if sweeps > self._attempts and state.generation:
                # One that is completed, only not known in full, is left as it is.
                return (
                    "left" if finished_rank(state) == len(STAGES) else await _give_up(session, state, _silence(state))
                )
            return await _carry_on(session, state, stored, sweeps, now)

    async def _stat(self, state: UploadState) -> StoredObject | None:
        try:
            return await self._resources.objects.stat(state.bucket, state.object_name)
        except ObjectNotFoundError:
            return None


async def _carry_on(
    session: AsyncSession, state: UploadState, stored: StoredObject | None, sweeps: int, now: datetime
) -> str:
    if not needs_its_object(state):
        await announce_again(session, state, sweeps)
        return "republished"
    event = object_event(state, stored, now)
    if event is None:
        return "not_stored"
    await ledger.announce(session, event)
    return "republished" if stored else "removed"


async def _give_up(session: AsyncSession, state: UploadState, failure: MediaFailedV1) -> str:
    """The owner sees a failure at once, everyone else hears of it."""
    change = ("given-up", str(state.generation), str(state.run))
    envelope = Envelope[MediaFailedV1](
        id=derived_event_id(Service.UPLOAD_GATEWAY.value, failure.topic(), failure.subject(), *change),
        source=f"//mmsearch/{Service.UPLOAD_GATEWAY.value}",
        time=datetime.now(UTC),
        data=failure,
    )
    await uploads.save(session, apply(state, hear(envelope)))
    await announce(session, failure, *change)
    return "given_up"


def _silence(state: UploadState) -> MediaFailedV1:
    message = "Nothing was heard of it for so long that it was given up."
    return _failure(state, FailureCode.TIMEOUT, message, retryable=True)


def _placeholder(state: UploadState) -> MediaFailedV1:
    return _failure(state, FailureCode.FILE_SIZE, "A folder's placeholder: there is nothing in it.", retryable=False)


def _failure(state: UploadState, code: FailureCode, message: str, *, retryable: bool) -> MediaFailedV1:
    return MediaFailedV1(upload=state.ref, stage=stopped_at(state), code=code, message=message, retryable=retryable)


def _is_placeholder(state: UploadState, stored: StoredObject | None) -> bool:
    """One that took the place of a file: alone it makes no upload, and nobody says a word of it."""
    if stored is None or stored.generation != state.generation:
        return False
    return is_folders_placeholder(state.object_name, stored.size_bytes)


def sweeping(resources: Resources) -> PeriodicJob:
    """The sweeper's rounds."""
    return PeriodicJob("sweeper", resources.repair.sweep_every_s, Sweeper(resources).sweep)
