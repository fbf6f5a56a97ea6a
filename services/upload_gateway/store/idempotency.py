"""Queries on idempotency keys: one row from the first request with a key until its answer may be forgotten."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import ColumnElement, delete, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.engine import CursorResult
from sqlalchemy.ext.asyncio import AsyncSession

from upload_gateway.tables import idempotency_keys


@dataclass(frozen=True)
class KeyName:
    """What makes a key unique."""

    user_id: str
    operation: str
    key: str


@dataclass(frozen=True)
class KeyRow:
    """``fingerprint`` and ``answer`` once the first request has been answered."""

    fingerprint: str | None
    answer: dict[str, Any] | None


async def begin(
    session: AsyncSession, name: KeyName, token: UUID, now: datetime, expires: datetime, stale: datetime
) -> bool:
    """Takes the key for ``token``; False while it is held. Free are unknown and expired keys, and those of requests
    begun before ``stale`` that were never answered.
    """
    row = insert(idempotency_keys).values(**vars(name), token=token, started_at=now, expires_at=expires)
    abandoned = idempotency_keys.c.answer.is_(None) & (idempotency_keys.c.started_at < stale)
    taken = row.on_conflict_do_update(
        index_elements=["user_id", "operation", "key"],
        set_={"token": token, "started_at": now, "expires_at": expires, "fingerprint": None, "answer": None},
        where=or_(idempotency_keys.c.expires_at < now, abandoned),
    )
    return await session.scalar(taken.returning(idempotency_keys.c.token)) is not None


async def find(session: AsyncSession, name: KeyName) -> KeyRow | None:
    """What is kept under a key."""
    statement = select(idempotency_keys.c.fingerprint, idempotency_keys.c.answer).where(*_is(name))
    found = (await session.execute(statement)).mappings().first()
    return KeyRow(**found) if found else None


async def keep(session: AsyncSession, name: KeyName, token: UUID, fingerprint: str, answer: dict[str, Any]) -> None:
    """Keeps the answer, unless another request has taken the key over."""
    held = (*_is(name), idempotency_keys.c.token == token)
    await session.execute(update(idempotency_keys).where(*held).values(fingerprint=fingerprint, answer=answer))


async def release(session: AsyncSession, name: KeyName, token: UUID) -> None:
    """Frees the key: nothing was done under it."""
    await session.execute(delete(idempotency_keys).where(*_is(name), idempotency_keys.c.token == token))


async def forget_expired(session: AsyncSession) -> int:
    """Removes every user's expired keys; the transaction must have taken the purge's role."""
    statement = delete(idempotency_keys).where(idempotency_keys.c.expires_at < func.now())
    return cast("CursorResult[Any]", await session.execute(statement)).rowcount


def _is(name: KeyName) -> tuple[ColumnElement[bool], ...]:
    kept = idempotency_keys.c
    return (kept.user_id == name.user_id, kept.operation == name.operation, kept.key == name.key)
