"""Turns deletions that cannot be undone any more into bytes, artifacts and rows that are gone; sweeps out remains.

Every step may be interrupted anywhere and repeated: what is due is found in the tables, what is done is announced in
the transaction that notes it. media-processor hears ``purge`` and removes the bytes; the bucket says when they went.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog
from prometheus_client import Counter
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.events import UploadDeletedV1
from objectstore.store import ObjectNotFoundError
from upload_gateway import claiming
from upload_gateway import uploads as states
from upload_gateway.announcing import announce
from upload_gateway.periodic import PeriodicJob
from upload_gateway.resources import Resources
from upload_gateway.store import idempotency, purging, quotas, uploads
from upload_gateway.store.purging import Due
from upload_gateway.uploads import UploadState

JOB_NAME = "purge"
_BATCH = 200
_QUOTAS_KEPT = timedelta(days=7)
_BEGINNING = Due("", "", 0)

_log = structlog.get_logger()
_purged = Counter("purged", "What the purge has done", ["what"])

Find = Callable[[AsyncSession, datetime, Due], Awaitable[Sequence[Due]]]
Act = Callable[[Due, datetime], Awaitable[bool]]


@dataclass
class Purged:
    """How much one round did."""

    cut_off: int = 0
    purged: int = 0
    leftovers: int = 0
    forgotten: int = 0
    keys: int = 0
    days: int = 0

    def note(self) -> None:
        """Into metrics and, if there was anything, the log."""
        done = {what: count for what, count in vars(self).items() if count}
        for what, count in done.items():
            _purged.labels(what).inc(count)
        if done:
            _log.info("purged", **done)


@dataclass(frozen=True)
class Purge:
    """One round per :meth:`run`. Instances may run at the same time; each upload is changed under its row's lock."""

    resources: Resources

    async def run(self, now: datetime | None = None) -> Purged:
        """Everything that is due ``now``."""
        now = now or datetime.now(UTC)
        done = Purged()
        done.cut_off = await self._each(now, self._cut_off, self._forget_cut_off)
        done.purged = await self._each(now, self._outlived, self._purge)
        done.leftovers = await self._each(now, self._leftovers, self._remove_leftovers)
        done.forgotten = await self._each(now, self._forgettable, self._forget)
        async with self.resources.database.transaction() as session:
            await purging.see_due(session)
            done.keys = await idempotency.forget_expired(session)
            done.days = await quotas.forget_before(session, (now - _QUOTAS_KEPT).date())
        done.note()
        return done

    async def _each(self, now: datetime, find: Find, act: Act) -> int:
        """Acts on all that is found, a page at a time; answers on how many."""
        count = 0
        async for due in self._found(now, find):
            count += await act(due, now)
        if count:
            self.resources.announced()
        return count

    async def _found(self, now: datetime, find: Find) -> AsyncIterator[Due]:
        after = _BEGINNING
        while True:
            async with self.resources.database.transaction() as session:
                await purging.see_due(session)
                page = await find(session, now, after)
            for due in page:
                yield due
            if len(page) < _BATCH:
                return
            after = page[-1]

    async def _cut_off(self, session: AsyncSession, now: datetime, after: Due) -> Sequence[Due]:
        return await purging.cut_off(session, now, claiming.ABANDONED_AFTER, after, _BATCH)

    async def _outlived(self, session: AsyncSession, now: datetime, after: Due) -> Sequence[Due]:
        kept = self.resources.retention
        return await purging.outlived(session, now - kept.deleted, now - kept.leftovers, after, _BATCH)

    async def _leftovers(self, session: AsyncSession, now: datetime, after: Due) -> Sequence[Due]:
        return await purging.leftovers(session, now - self.resources.retention.leftovers, after, _BATCH)

    async def _forgettable(self, session: AsyncSession, now: datetime, after: Due) -> Sequence[Due]:
        return await purging.forgettable(session, now - self.resources.retention.remembered, after, _BATCH)

    async def _forget_cut_off(self, due: Due, _now: datetime) -> bool:
        async with self.resources.database.transaction(due.user_id) as session:
            row = await uploads.find(session, due.user_id, due.upload_id)
        return row is not None and await claiming.forget_if_abandoned(self.resources, row)

    async def _purge(self, due: Due, now: datetime) -> bool:
        gone = await self._is_gone(due)
        async with self.resources.database.transaction(due.user_id) as session:
            state = await uploads.find_for_update(session, due.upload_id)
            if state is None or state.generation != due.generation or not (state.deleted or state.bytes_gone):
                return False
            if gone:
                await self._note_gone(session, state, now)
                return True
            state = states.delete(state, now, purge=True)
            await uploads.save(session, state)
            await announce(session, UploadDeletedV1(upload=state.ref, purge=True), str(state.changes))
        return True

    async def _is_gone(self, due: Due) -> bool:
        """Whether the bucket removed that version without our hearing of it."""
        async with self.resources.database.transaction(due.user_id) as session:
            row = await uploads.find(session, due.user_id, due.upload_id)
        if row is None:
            return False
        try:
            stored = await self.resources.objects.stat(row.bucket, row.object_name)
        except ObjectNotFoundError:
            return True
        return stored.generation > due.generation

    async def _note_gone(self, session: AsyncSession, state: UploadState, now: datetime) -> None:
        await uploads.save(session, states.mark_gone(state, now))
        await purging.note_removed(session, state.ref, now)

    async def _remove_leftovers(self, due: Due, _now: datetime) -> bool:
        async with self.resources.database.transaction(due.user_id) as session:
            upload = await purging.take_removed(session, due)
            if upload is None:
                return False
            await announce(session, UploadDeletedV1(upload=upload, purge=True), "leftovers", str(due.generation))
        return True

    async def _forget(self, due: Due, _now: datetime) -> bool:
        async with self.resources.database.transaction(due.user_id) as session:
            await purging.forget(session, due.upload_id)
        return True


def purging_job(resources: Resources) -> PeriodicJob:
    """The purge as one of the gateway's own jobs."""
    return PeriodicJob(JOB_NAME, resources.retention.purge_every_s, Purge(resources).run)
