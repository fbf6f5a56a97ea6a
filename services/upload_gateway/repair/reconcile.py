"""Walks bucket and table side by side, a stretch of names per call, and repairs what differs through the usual events.

Phases follow each other under one cursor: uploads, artifacts, and when fixing, what was announced: deletions and users.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.events import UploadDeletedV1
from eventing.notifications import finalized_message
from upload_gateway.announcing import announce, announce_user
from upload_gateway.repair.findings import Finding, Problem, compare, derived_upload, is_orphaned
from upload_gateway.republishing import finalized_of, removal_message
from upload_gateway.resources import Resources
from upload_gateway.store import repair, users
from upload_gateway.tables import ledger
from upload_gateway.uploads import UploadState

RECONCILE_ACTION = "reconcile"
_STRETCH = 1000
_ANNOUNCED = 200
_REMEMBERED = timedelta(days=32)
"""Deletions before this were heard by whoever could hear them: no message lives longer."""


class Phase(StrEnum):
    """What a call walks through."""

    UPLOADS = "uploads"
    ARTIFACTS = "artifacts"
    DELETIONS = "deletions"
    USERS = "users"


@dataclass(frozen=True)
class Cursor:
    """Where a call begins: a phase, and the name or id after which it goes on."""

    phase: Phase = Phase.UPLOADS
    after: str = ""


@dataclass(frozen=True)
class Stretch:
    """What one call found. ``examined`` names were looked at; ``announced`` events were published to repair."""

    phase: Phase
    examined: int
    findings: Sequence[Finding]
    announced: int
    next: Cursor | None


@dataclass(frozen=True)
class Reconciler:
    """``settle`` is how old a difference must be to count. Memory is bounded by one stretch of names."""

    resources: Resources
    artifacts_bucket: str
    settle: timedelta

    async def walk(self, actor: str, cursor: Cursor, *, fix: bool) -> Stretch:
        """One stretch; begin with ``Cursor()``, go on with ``next`` until it is None. Repeatable."""
        now = datetime.now(UTC)
        match cursor.phase:
            case Phase.UPLOADS:
                stretch = await self._uploads(cursor, now)
            case Phase.ARTIFACTS:
                stretch = await self._artifacts(cursor, now, fix=fix)
            case Phase.DELETIONS:
                return await self._deletions(cursor, now)
            case Phase.USERS:
                return await self._users(cursor)
        if not fix or not stretch.findings:
            return stretch
        return await self._fix(actor, stretch, now)

    async def _uploads(self, cursor: Cursor, now: datetime) -> Stretch:
        bucket = self.resources.uploads_bucket
        stored = await self.resources.objects.list_page(bucket, cursor.after, _STRETCH)
        upto = stored[-1].key if len(stored) == _STRETCH else None
        async with self.resources.database.transaction() as session:
            await repair.see_all(session)
            states = await repair.by_object(session, bucket, cursor.after, upto, _STRETCH)
        if len(states) == _STRETCH:
            upto = states[-1].object_name
            stored = [item for item in stored if item.key.encode() <= upto.encode()]
        findings = list(compare(stored, states, now - self.settle))
        following = Cursor(Phase.UPLOADS, upto) if upto is not None else Cursor(Phase.ARTIFACTS)
        return Stretch(Phase.UPLOADS, len(stored), findings, 0, following)

    async def _artifacts(self, cursor: Cursor, now: datetime, *, fix: bool) -> Stretch:
        stored = await self.resources.objects.list_page(self.artifacts_bucket, cursor.after, _STRETCH)
        found = {
            (derived.upload_id, derived.version): derived
            for item in stored
            if item.created_at < now - self.settle
            and (derived := derived_upload(item.key, self.resources.uploads_bucket))
        }
        async with self.resources.database.transaction() as session:
            await repair.see_all(session)
            states = await repair.versions_of(session, sorted({upload_id for upload_id, _ in found}))
        findings = [
            Finding(Problem.ARTIFACTS, derived.object_name, derived.upload_id, state, derived=derived)
            for derived in found.values()
            if is_orphaned(derived, state := states.get(derived.upload_id))
        ]
        after_all = Cursor(Phase.DELETIONS) if fix else None
        following = Cursor(Phase.ARTIFACTS, stored[-1].key) if len(stored) == _STRETCH else after_all
        return Stretch(Phase.ARTIFACTS, len(stored), findings, 0, following)

    async def _deletions(self, cursor: Cursor, now: datetime) -> Stretch:
        """Who missed a deletion would show what is gone; who heard it knows it again."""
        async with self.resources.database.transaction() as session:
            await repair.see_all(session)
            states = await repair.hidden_since(session, now - _REMEMBERED, cursor.after, _ANNOUNCED)
            told = [state for state in states if state.generation and (state.deleted or state.removed)]
            for state in told:
                await _announce_deletion(session, state)
        self.resources.announced()
        full = len(states) == _ANNOUNCED
        following = Cursor(Phase.DELETIONS, states[-1].upload_id) if full else Cursor(Phase.USERS)
        return Stretch(Phase.DELETIONS, len(states), (), len(told), following)

    async def _users(self, cursor: Cursor) -> Stretch:
        async with self.resources.database.transaction() as session:
            found = await users.list_ids(session, cursor.after, _ANNOUNCED)
            for user_id in found:
                await announce_user(session, user_id)
        self.resources.announced()
        following = Cursor(Phase.USERS, found[-1]) if len(found) == _ANNOUNCED else None
        return Stretch(Phase.USERS, len(found), (), len(found), following)

    async def _fix(self, actor: str, stretch: Stretch, now: datetime) -> Stretch:
        async with self.resources.database.transaction() as session:
            for finding in stretch.findings:
                await _repair(session, finding, now)
            await repair.journal(session, actor, RECONCILE_ACTION, [finding.name for finding in stretch.findings])
        self.resources.announced()
        return Stretch(stretch.phase, stretch.examined, stretch.findings, len(stretch.findings), stretch.next)


async def _repair(session: AsyncSession, finding: Finding, now: datetime) -> None:
    """Publishes the event whose loss would explain the finding; the handlers do the rest."""
    if finding.problem in (Problem.MISSING, Problem.CHANGED):
        assert finding.stored is not None
        await ledger.announce(session, finalized_message(finalized_of(finding.stored)))
    elif finding.problem is Problem.ORPHANED:
        assert finding.state is not None
        await ledger.announce(session, removal_message(finding.state, now))
    else:
        upload = finding.derived if finding.state is None else finding.state.ref
        assert upload is not None
        change = (str(upload.generation), str(upload.run), now.isoformat())
        await announce(session, UploadDeletedV1(upload=upload, purge=True), "purge-again", *change)


async def _announce_deletion(session: AsyncSession, state: UploadState) -> None:
    if state.deleted:
        await announce(session, UploadDeletedV1(upload=state.ref, purge=state.purged), str(state.changes))
    else:
        await announce(session, UploadDeletedV1(upload=state.ref), "removed", str(state.generation), str(state.run))
