"""Who may search: users and the hashes of their API keys, as last announced by upload-gateway."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.events import UserChangedV1
from contracts.events.user_changed_v1 import UserStatus
from identity.principal import Principal
from search.store.statements import Result, Transaction, statement

# The row lock of the upsert orders concurrent versions: the later transaction sees what the earlier one wrote.
_UPSERT = """INSERT INTO principals (user_id, version, suspended, tier, operator)
    VALUES (:user_id, :version, :suspended, :tier, :operator)
    ON CONFLICT (user_id) DO UPDATE SET version = excluded.version, suspended = excluded.suspended,
        tier = excluded.tier, operator = excluded.operator
    WHERE principals.version < excluded.version RETURNING 1"""

_KEYS = """INSERT INTO api_keys (sha256, key_id, user_id)
    SELECT r.sha256, r.key_id, :user_id FROM unnest(CAST(:hashes AS text[]), CAST(:ids AS text[])) AS r(sha256, key_id)
    ON CONFLICT (sha256) DO UPDATE SET key_id = excluded.key_id, user_id = excluded.user_id"""

_BY_KEY = """SELECT user_id, tier, operator, suspended FROM principals JOIN api_keys USING (user_id)
    WHERE sha256 = :sha256"""

_BY_ID = "SELECT user_id, tier, operator, suspended FROM principals WHERE user_id = :user_id"


async def write(session: AsyncSession, event: UserChangedV1) -> None:
    """Replaces a user and their keys unless the same or a newer version is already stored."""
    values = {
        "user_id": event.user_id,
        "version": event.version,
        "suspended": event.status is UserStatus.SUSPENDED,
        "tier": event.tier,
        "operator": event.operator,
    }
    if await session.scalar(text(_UPSERT), values) is None:
        return
    await session.execute(text("DELETE FROM api_keys WHERE user_id = :user_id"), {"user_id": event.user_id})
    keys = {"hashes": [key.sha256 for key in event.api_keys], "ids": [key.key_id for key in event.api_keys]}
    await session.execute(text(_KEYS), {"user_id": event.user_id, **keys})


async def by_key_hash(transaction: Transaction, sha256: str) -> Principal | None:
    """Returns the owner of an API key; None for an unknown key."""
    return _principal(await transaction.execute(statement(_BY_KEY), {"sha256": sha256}))


async def by_user_id(transaction: Transaction, user_id: str) -> Principal | None:
    """Returns a user; None if upload-gateway has not announced them."""
    return _principal(await transaction.execute(statement(_BY_ID), {"user_id": user_id}))


def _principal(found: Result) -> Principal | None:
    return next((Principal(row.user_id, row.tier, row.operator, row.suspended) for row in found), None)
