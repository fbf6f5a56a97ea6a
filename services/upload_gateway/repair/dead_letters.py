"""Turns a dead letter back into the message it was, for exactly the subscription that gave up on it, or lets it go."""

from collections.abc import Mapping, Sequence
from enum import StrEnum

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.artifacts import StoredEvent
from contracts.events import ObjectDeletedV1, UploadDeletedV1
from contracts.topology import Subscription, subscription_named
from eventing.codec import ONLY_FOR, REDRIVE
from upload_gateway.repair.limits import PAUSE_S, Batch
from upload_gateway.resources import Resources
from upload_gateway.store import dead_letters as letters
from upload_gateway.store import repair
from upload_gateway.store.dead_letters import Letter, LetterFilter, LetterStatus
from upload_gateway.tables import ledger
from upload_gateway.uploads import UploadState

REDRIVE_ACTION = "redrive"
DISCARD_ACTION = "discard"

_ENDINGS = (UploadDeletedV1, ObjectDeletedV1)
"""Events that still count when their upload is gone."""


class Skipped(StrEnum):
    """Why a letter was not sent again, or not discarded."""

    NOT_WAITING = "not_waiting"
    """It was asked for by id, and there is no such letter, or it was sent again or discarded before."""
    UNREADABLE = "unreadable"
    """Its bytes are not UTF-8 text, which every event is."""
    NO_SUBSCRIPTION = "no_subscription"
    """The subscription it died on does not exist any more."""
    SUPERSEDED = "superseded"
    """Its upload was deleted, overwritten or run again since; the letter is discarded."""


async def redrive(
    resources: Resources,
    actor: str,
    wanted: LetterFilter,
    ids: Sequence[str],
    *,
    after: str,
    limit: int,
    per_minute: int,
) -> Batch:
    """Sends the next waiting letters again, at most ``limit`` and what the minute leaves room for.

    ``count`` letters still wait, those that cannot be sent included.

    A letter leaves at most once: whoever asks again finds it no longer waiting. Letters come in the order of their
    ids: whoever goes on with ``next`` passes by what cannot be sent, and by what has died again behind them.
    """
    async with resources.database.transaction() as session:
        await repair.see_all(session)
        room = min(limit, await repair.allowance(session, REDRIVE_ACTION, per_minute))
        found = await letters.lock_waiting(session, wanted, ids, after, room) if room else []
        states = await repair.versions_of(session, [letter.upload_id for letter in found if letter.upload_id])
        skipped = await _not_waiting(session, ids, after)
        skipped |= {letter.letter_id: why for letter in found if (why := _obstacle(letter, states))}
        sent = [letter for letter in found if letter.letter_id not in skipped]
        for letter in sent:
            await ledger.announce(session, message_again(letter))
            await letters.settle(session, letter, LetterStatus.REDRIVEN)
        for letter in found:
            if skipped.get(letter.letter_id) is Skipped.SUPERSEDED:
                await letters.settle(session, letter, LetterStatus.DISCARDED)
        redriven = [letter.letter_id for letter in sent]
        await repair.journal(session, actor, REDRIVE_ACTION, redriven)
        remaining = await letters.count_waiting(session, wanted, ids)
    resources.announced()
    following, wait_s = _following(found, after, room), 0 if room else PAUSE_S
    return Batch(done=redriven, skipped=skipped, count=remaining, next=following, wait_s=wait_s)


async def discard(
    resources: Resources, actor: str, wanted: LetterFilter, ids: Sequence[str], *, after: str, limit: int
) -> Batch:
    """Lets the next waiting letters go for good; they are kept for the record."""
    async with resources.database.transaction() as session:
        found = await letters.lock_waiting(session, wanted, ids, after, limit)
        skipped = await _not_waiting(session, ids, after)
        for letter in found:
            await letters.settle(session, letter, LetterStatus.DISCARDED)
        gone = [letter.letter_id for letter in found]
        await repair.journal(session, actor, DISCARD_ACTION, gone)
        remaining = await letters.count_waiting(session, wanted, ids)
    return Batch(done=gone, skipped=skipped, count=remaining, next=_following(found, after, limit))


def superseded(source: Subscription, version: tuple[int, int], state: UploadState | None) -> bool:
    """Whether a letter of this (generation, run) has nothing left to repair: its upload was deleted, overwritten or
    run again since, and the event is not itself about its end. ``state`` is None for an upload nobody knows.
    """
    if state is None or source.event in _ENDINGS:
        return False
    return version < state.version or state.deleted or state.removed


def message_again(letter: Letter) -> StoredEvent:
    """The message as it was first published, addressed to the one subscription that gave up on it."""
    assert letter.topic is not None
    address = {ONLY_FOR: letter.subscription, REDRIVE: str(letter.redrives + 1)}
    return StoredEvent(topic=letter.topic, attributes={**letter.attributes, **address}, data=letter.data.decode())


async def _not_waiting(session: AsyncSession, ids: Sequence[str], after: str) -> dict[str, Skipped]:
    """The ids asked for that no letter waits under. Told when a walk begins: later its own letters wait no more."""
    if not ids or after:
        return {}
    waiting = await letters.waiting_among(session, ids)
    return {letter_id: Skipped.NOT_WAITING for letter_id in ids if letter_id not in waiting}


def _following(found: Sequence[Letter], after: str, room: int) -> str | None:
    """A page that is not full was the last; without room the place stays."""
    if len(found) < room:
        return None
    return found[-1].letter_id if found else after


def _obstacle(letter: Letter, states: Mapping[str, UploadState]) -> Skipped | None:
    source = subscription_named(letter.subscription)
    if source is None or letter.topic is None:
        return Skipped.NO_SUBSCRIPTION
    if not _is_text(letter.data):
        return Skipped.UNREADABLE
    version = (letter.generation or 0, letter.run or 0)
    return Skipped.SUPERSEDED if superseded(source, version, states.get(letter.upload_id or "")) else None


def _is_text(data: bytes) -> bool:
    try:
        return "\x00" not in data.decode()
    except UnicodeDecodeError:
        return False
