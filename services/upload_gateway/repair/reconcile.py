"""Walks bucket and table side by side, a stretch of names per call, and repairs what differs through the usual events.

Phases follow each other under one cursor: uploads, artifacts, and when fixing, what was announced: deletions and users.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.artifacts import Service, StoredEvent
from contracts.envelope import derived_event_id
from contracts.events import MediaEmbeddedV1, ObjectFinalizedV1, UploadDeletedV1
from contracts.topology import subscription, subscriptions_of
from eventing import codec
from eventing.notifications import finalized_message
from objectstore.store import StoredObject
from upload_gateway.announcing import announce, announce_user
from upload_gateway.repair.findings import Finding, Problem, compare, derived_version, is_orphaned
from upload_gateway.repair.remembered import Remembered
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
_ARRIVALS = (Problem.MISSING, Problem.CHANGED)
_OWN = {own.event.topic(): own for own in subscriptions_of(Service.UPLOAD_GATEWAY)}


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

    @property
    def _remembered(self) -> Remembered:
        return Remembered(self.resources.objects, self.resources.uploads_bucket, self.artifacts_bucket)

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
            (derived.key, derived.run): derived
            for item in stored
            if item.created_at < now - self.settle and (derived := derived_version(item.key))
        }
        async with self.resources.database.transaction() as session:
            await repair.see_all(session)
            states = await repair.versions_of(session, sorted({derived.upload_id for derived in found.values()}))
        unknown = [derived for derived in found.values() if derived.upload_id not in states]
        with_original = await self._remembered.with_original(unknown)
        findings = [
            Finding(Problem.ARTIFACTS, derived.folder, derived.upload_id, state, derived=derived)
            for derived in found.values()
            if is_orphaned(derived, state := states.get(derived.upload_id), with_original)
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
        lost = await self._lost(stretch.findings)
        async with self.resources.database.transaction() as session:
            for event in lost:
                await _hear_again(session, event, now)
            for finding in stretch.findings:
                await _repair(session, finding, self.resources.uploads_bucket, now)
            await repair.journal(session, actor, RECONCILE_ACTION, [finding.name for finding in stretch.findings])
        self.resources.announced()
        return Stretch(stretch.phase, stretch.examined, stretch.findings, len(stretch.findings), stretch.next)

    async def _lost(self, findings: Sequence[Finding]) -> Sequence[StoredEvent]:
        """All that was once told of arrivals which this service has heard of, but has no rows of any more."""
        arrivals = {
            _arrival_id(finding.stored): finding.stored
            for finding in findings
            if finding.stored and finding.problem in _ARRIVALS
        }
        async with self.resources.database.transaction() as session:
            heard = await ledger.heard(session, sorted(arrivals), ObjectFinalizedV1.topic())
        events: list[StoredEvent] = []
        for stored in (arrivals[event_id] for event_id in heard):
            upload = finalized_of(stored).upload
            told = self._remembered.events(upload.user_id, upload.upload_id, upload.generation)
            events += [event async for event in told]
        return events


def _arrival_id(stored: StoredObject) -> str:
    message = finalized_message(finalized_of(stored))
    return codec.decode(ObjectFinalizedV1, message.data.encode(), message.attributes).id


async def _repair(session: AsyncSession, finding: Finding, uploads_bucket: str, now: datetime) -> None:
    """Publishes the event whose loss would explain the finding; the handlers do the rest."""
    if finding.problem in _ARRIVALS:
        assert finding.stored is not None
        await ledger.forget(session, _arrival_id(finding.stored), ObjectFinalizedV1.topic())
        await ledger.announce(session, finalized_message(finalized_of(finding.stored)))
    elif finding.problem is Problem.ORPHANED:
        assert finding.state is not None
        await ledger.announce(session, removal_message(finding.state, now))
    elif finding.problem is Problem.DELETED:
        assert finding.state is not None
        await _purge_again(session, UploadDeletedV1(upload=finding.state.ref, purge=True), now)
    else:
        assert finding.derived is not None
        derived = finding.derived.named(uploads_bucket)
        await _purge_again(session, UploadDeletedV1(upload=derived, purge_derived=True), now)


async def _purge_again(session: AsyncSession, event: UploadDeletedV1, now: datetime) -> None:
    change = (str(event.upload.generation), str(event.upload.run), str(event.purge), now.isoformat())
    await announce(session, event, "purge-again", *change)


async def _hear_again(session: AsyncSession, event: StoredEvent, now: datetime) -> None:
    """To this service as if it had never heard the event; of search, for its answer, asked under a new id."""
    event_id = event.attributes["ce-id"]
    if event.topic in _OWN:
        await ledger.forget(session, event_id, event.topic)
        await ledger.announce(session, codec.addressed(event, _OWN[event.topic].name))
    if event.topic == MediaEmbeddedV1.topic():
        asked = codec.addressed(event, subscription(Service.SEARCH, MediaEmbeddedV1).name)
        new_id = {"ce-id": derived_event_id("again", event_id, now.isoformat())}
        await ledger.announce(session, asked.model_copy(update={"attributes": asked.attributes | new_id}))


async def _announce_deletion(session: AsyncSession, state: UploadState) -> None:
    if state.deleted:
        await announce(session, UploadDeletedV1(upload=state.ref, purge=state.purged), str(state.changes))
    else:
        await announce(session, UploadDeletedV1(upload=state.ref), "removed", str(state.generation), str(state.run))
