"""Queries on users and API keys. No row security here: they are asked before a tenant is known, by id or key hash."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import delete, exists, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.engine import CursorResult
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.events import UserChangedV1
from contracts.events.user_changed_v1 import ApiKeyHash, UserStatus
from upload_gateway.tables import api_keys, users


@dataclass(frozen=True)
class UserRow:
    """A user."""

    user_id: str
    email: str | None
    tier: str
    status: str
    operator: bool
    version: int
    created_at: datetime


@dataclass(frozen=True)
class ApiKeyRow:
    """An API key without what it was made from."""

    key_id: str
    name: str
    created_at: datetime
    last_used_at: datetime | None


async def exists_user(session: AsyncSession, user_id: str) -> bool:
    """Whether there is such a user."""
    return bool(await session.scalar(select(exists().where(users.c.user_id == user_id))))


async def find_user(session: AsyncSession, user_id: str) -> UserRow | None:
    """A user by id."""
    found = (await session.execute(select(users).where(users.c.user_id == user_id))).mappings().first()
    return UserRow(**found) if found else None


async def find_user_by_key(session: AsyncSession, sha256: str) -> UserRow | None:
    """The owner of the key with this hash."""
    statement = select(users).join(api_keys, api_keys.c.user_id == users.c.user_id).where(api_keys.c.sha256 == sha256)
    found = (await session.execute(statement)).mappings().first()
    return UserRow(**found) if found else None


async def touch_key(session: AsyncSession, sha256: str, at_most_every: timedelta) -> None:
    """Notes that a key was used, unless that was noted a moment ago."""
    stale = or_(api_keys.c.last_used_at.is_(None), api_keys.c.last_used_at < func.now() - at_most_every)
    await session.execute(update(api_keys).where(api_keys.c.sha256 == sha256, stale).values(last_used_at=func.now()))


async def add_user(session: AsyncSession, user_id: str, *, tier: str, operator: bool) -> bool:
    """Creates an active user; False when there is one already."""
    statement = insert(users).values(
        user_id=user_id, tier=tier, operator=operator, status=UserStatus.ACTIVE.value, version=0, created_at=func.now()
    )
    result = await session.execute(statement.on_conflict_do_nothing())
    return cast("CursorResult[Any]", result).rowcount == 1


async def note_email(session: AsyncSession, user_id: str, email: str) -> bool:
    """Gives a user an address unless somebody else has it; False then."""
    taken = select(users.c.user_id).where(users.c.email == email).exists()
    statement = update(users).where(users.c.user_id == user_id, ~taken).values(email=email)
    try:
        async with session.begin_nested():
            return cast("CursorResult[Any]", await session.execute(statement)).rowcount == 1
    except IntegrityError:  # taken in this very moment
        return False


async def add_key(session: AsyncSession, key_id: str, user_id: str, sha256: str, name: str) -> bool:
    """Creates a key; False when this very key exists."""
    statement = insert(api_keys).values(key_id=key_id, user_id=user_id, sha256=sha256, name=name, created_at=func.now())
    return cast("CursorResult[Any]", await session.execute(statement.on_conflict_do_nothing())).rowcount == 1


async def list_keys(session: AsyncSession, user_id: str) -> Sequence[ApiKeyRow]:
    """A user's keys, oldest first."""
    columns = (api_keys.c.key_id, api_keys.c.name, api_keys.c.created_at, api_keys.c.last_used_at)
    statement = select(*columns).where(api_keys.c.user_id == user_id).order_by(api_keys.c.created_at, api_keys.c.key_id)
    return [ApiKeyRow(**row) for row in (await session.execute(statement)).mappings()]


async def remove_key(session: AsyncSession, user_id: str, key_id: str) -> str | None:
    """Removes a key of this user; answers its hash, None when the user has no such key."""
    statement = delete(api_keys).where(api_keys.c.user_id == user_id, api_keys.c.key_id == key_id)
    return await session.scalar(statement.returning(api_keys.c.sha256))


async def next_version(session: AsyncSession, user_id: str) -> UserChangedV1:
    """Raises the user's version (which locks the row) and answers the whole state to announce."""
    bumped = update(users).where(users.c.user_id == user_id).values(version=users.c.version + 1).returning(users)
    user = UserRow(**(await session.execute(bumped)).mappings().one())
    keys = await session.execute(
        select(api_keys.c.key_id, api_keys.c.sha256).where(api_keys.c.user_id == user_id).order_by(api_keys.c.key_id)
    )
    return UserChangedV1(
        user_id=user.user_id,
        version=user.version,
        status=UserStatus(user.status),
        tier=user.tier,
        operator=user.operator,
        api_keys=tuple(ApiKeyHash(key_id=key.key_id, sha256=key.sha256) for key in keys),
    )


async def lock_user(session: AsyncSession, user_id: str) -> None:
    """Makes changes of one user wait for each other."""
    await session.execute(select(users.c.user_id).where(users.c.user_id == user_id).with_for_update())


async def list_ids(session: AsyncSession, after: str, limit: int) -> Sequence[str]:
    """The next user ids in their order."""
    statement = select(users.c.user_id).where(users.c.user_id > after).order_by(users.c.user_id).limit(limit)
    return list(await session.scalars(statement))


async def set_status(session: AsyncSession, user_id: str, status: UserStatus) -> bool:
    """Suspends or resumes a user; False when that is how they are already."""
    changed = update(users).where(users.c.user_id == user_id, users.c.status != status.value)
    return cast("CursorResult[Any]", await session.execute(changed.values(status=status.value))).rowcount == 1
