"""Queries on dead letters. No row security here: only operators' routes and the projection that keeps them ask."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, cast

from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.dialects.postgresql import aggregate_order_by, insert
from sqlalchemy.engine import CursorResult
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.events import DeadLetterV1
from contracts.events.dead_letter_v1 import OriginalMessage
from upload_gateway.tables import dead_letters as letters

_SUMMARY = [column for column in letters.c if column.name not in ("attributes", "data")]


class LetterStatus(StrEnum):
    """What became of a dead letter."""

    WAITING = "waiting"
    REDRIVEN = "redriven"
    DISCARDED = "discarded"


@dataclass(frozen=True)
class LetterRow:
    """A dead letter without its message. ``deaths`` counts how often it came here, ``redrives`` how often it left."""

    letter_id: str
    subscription: str
    topic: str | None
    upload_id: str | None
    user_id: str | None
    generation: int | None
    run: int | None
    code: str
    reason: str
    attempts: int
    status: str
    deaths: int
    redrives: int
    first_died_at: datetime
    died_at: datetime
    settled_at: datetime | None


@dataclass(frozen=True)
class Letter(LetterRow):
    """A dead letter whole."""

    attributes: Mapping[str, str]
    data: bytes


@dataclass(frozen=True)
class LetterFilter:
    """Which letters; None is any."""

    subscription: str | None = None
    code: str | None = None
    died_before: datetime | None = None
    status: LetterStatus | None = LetterStatus.WAITING

    def conditions(self) -> list[ColumnElement[bool]]:
        """As SQL."""
        wanted: list[ColumnElement[bool]] = []
        if self.subscription:
            wanted.append(letters.c.subscription == self.subscription)
        if self.code:
            wanted.append(letters.c.code == self.code)
        if self.died_before:
            wanted.append(letters.c.died_at < self.died_before)
        if self.status:
            wanted.append(letters.c.status == self.status.value)
        return wanted


@dataclass(frozen=True)
class Cause:
    """How many letters died of one thing in one place."""

    subscription: str
    code: str
    letters: int
    oldest: datetime
    reason: str


async def keep(session: AsyncSession, letter: DeadLetterV1, status: LetterStatus) -> None:
    """Keeps a letter, waiting or discarded. One that was sent again and died again is as if new; a second copy of a
    death changes nothing.
    """
    if letter.letter_id is None:
        return  # told by a version that kept none
    original = letter.original or OriginalMessage(attributes={}, data_base64="")
    upload = letter.upload
    died = {
        "code": letter.code.value,
        "reason": _storable(letter.reason),
        "attempts": letter.attempts,
        "status": status.value,
        "died_at": func.now(),
        "settled_at": None if status is LetterStatus.WAITING else func.now(),
    }
    fresh = {
        "letter_id": letter.letter_id,
        "subscription": _storable(letter.source_subscription),
        "topic": letter.source_topic,
        "upload_id": upload and upload.upload_id,
        "user_id": upload and upload.user_id,
        "generation": upload and upload.generation,
        "run": upload and upload.run,
        "attributes": {_storable(name): _storable(value) for name, value in original.attributes.items()},
        "data": base64.b64decode(original.data_base64),
        "deaths": 1,
        "redrives": letter.redrives,
        "first_died_at": func.now(),
    }
    again = (letters.c.redrives == letter.redrives) & (letters.c.status == LetterStatus.REDRIVEN.value)
    statement = insert(letters).values(fresh | died)
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=["letter_id"], set_=died | {"deaths": letters.c.deaths + 1}, where=again
        )
    )


async def page(session: AsyncSession, wanted: LetterFilter, limit: int, offset: int) -> tuple[Sequence[LetterRow], int]:
    """One page, oldest first, and how many there are in all."""
    conditions = wanted.conditions()
    total = await session.scalar(select(func.count()).select_from(letters).where(*conditions))
    ordered = select(*_SUMMARY).where(*conditions).order_by(letters.c.died_at, letters.c.letter_id)
    found = await session.execute(ordered.limit(limit).offset(offset))
    return [LetterRow(**row) for row in found.mappings()], total or 0


async def causes(session: AsyncSession, wanted: LetterFilter) -> Sequence[Cause]:
    """The letters grouped by where and of what they died, most first; with the latest reason."""
    latest = aggregate_order_by(letters.c.reason, letters.c.died_at.desc(), letters.c.letter_id)
    grouped = (
        select(
            letters.c.subscription,
            letters.c.code,
            func.count().label("letters"),
            func.min(letters.c.died_at).label("oldest"),
            func.array_agg(latest)[1].label("reason"),
        )
        .where(*wanted.conditions())
        .group_by(letters.c.subscription, letters.c.code)
        .order_by(func.count().desc(), letters.c.subscription, letters.c.code)
    )
    return [Cause(**row) for row in (await session.execute(grouped)).mappings()]


async def find(session: AsyncSession, letter_id: str) -> Letter | None:
    """One letter with its message."""
    found = (await session.execute(select(letters).where(letters.c.letter_id == letter_id))).mappings().first()
    return Letter(**found) if found else None


async def lock_waiting(
    session: AsyncSession, wanted: LetterFilter, ids: Sequence[str], after: str, limit: int
) -> Sequence[Letter]:
    """The next waiting letters in the order of their ids, locked; what another operator is working on is left out."""
    conditions = [*wanted.conditions(), letters.c.status == LetterStatus.WAITING.value, letters.c.letter_id > after]
    if ids:
        conditions.append(letters.c.letter_id.in_(ids))
    ordered = select(letters).where(*conditions).order_by(letters.c.letter_id).limit(limit)
    found = await session.execute(ordered.with_for_update(skip_locked=True))
    return [Letter(**row) for row in found.mappings()]


async def waiting_among(session: AsyncSession, ids: Sequence[str]) -> set[str]:
    """Those of the ids under which a letter waits."""
    waiting = letters.c.status == LetterStatus.WAITING.value
    return set(await session.scalars(select(letters.c.letter_id).where(letters.c.letter_id.in_(ids), waiting)))


async def count_waiting(session: AsyncSession, wanted: LetterFilter, ids: Sequence[str]) -> int:
    """How many still wait."""
    conditions = [*wanted.conditions(), letters.c.status == LetterStatus.WAITING.value]
    if ids:
        conditions.append(letters.c.letter_id.in_(ids))
    return await session.scalar(select(func.count()).select_from(letters).where(*conditions)) or 0


async def settle(session: AsyncSession, letter: Letter, status: LetterStatus) -> None:
    """Marks a letter as sent again or given up."""
    redrives = letter.redrives + (status is LetterStatus.REDRIVEN)
    values = {"status": status.value, "redrives": redrives, "settled_at": func.now()}
    await session.execute(update(letters).where(letters.c.letter_id == letter.letter_id).values(values))


async def forget_settled(session: AsyncSession, before: datetime) -> int:
    """Removes letters that were settled long ago; returns how many."""
    statement = delete(letters).where(letters.c.settled_at < before, letters.c.status != LetterStatus.WAITING.value)
    return cast("CursorResult[Any]", await session.execute(statement)).rowcount


def _storable(value: str) -> str:
    """Postgres holds no NUL character."""
    return value.replace("\x00", "\ufffd")
