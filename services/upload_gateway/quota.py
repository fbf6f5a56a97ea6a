"""Turns a user's tier and the day (UTC) into how many files may still be added, or into when to come back.

A run that its owner begins counts like a file added: what it costs is the same.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncSession

from hosting.answers import ApiError
from identity.principal import Principal
from upload_gateway.store import quotas


@dataclass(frozen=True)
class DailyQuotas:
    """Files per user and day by tier; a tier nobody has heard of is treated as ``free``."""

    free: int = 100
    pro: int = 1000
    enterprise: int = 10_000

    def of(self, tier: str) -> int:
        """The limit of a tier."""
        return {"pro": self.pro, "enterprise": self.enterprise}.get(tier, self.free)


class QuotaShown(BaseModel):
    """Today's quota: files added or processed again. ``used`` may pass ``limit``: files dropped into the bucket are
    counted, not refused.
    """

    limit: int
    used: int
    resets_at: datetime


def charged_for(caller: Principal) -> Principal | None:
    """On whose day a run counts that ``caller`` begins; None where an operator repairs."""
    return None if caller.operator else caller


def day_of(moment: datetime) -> date:
    """The UTC day an upload is counted on."""
    return moment.astimezone(UTC).date()


def resets_at(now: datetime) -> datetime:
    """The next midnight, UTC."""
    return datetime.combine(day_of(now) + timedelta(days=1), time(), UTC)


async def today(session: AsyncSession, user_id: str, limit: int, now: datetime) -> QuotaShown:
    """What the user has used of today."""
    used = await quotas.used(session, user_id, day_of(now))
    return QuotaShown(limit=limit, used=used, resets_at=resets_at(now))


async def expect_room(session: AsyncSession, owner: Principal, limits: DailyQuotas, now: datetime) -> None:
    """429 when nothing is left: said before the bytes are sent. What counts is :func:`take`."""
    limit = limits.of(owner.tier)
    if await quotas.used(session, owner.user_id, day_of(now)) >= limit:
        raise exceeded(limit, now)


async def take(session: AsyncSession, owner: Principal, limits: DailyQuotas, now: datetime) -> None:
    """Counts one upload or run in the transaction of its row; 429 (and nothing counted) when nothing is left."""
    limit = limits.of(owner.tier)
    if not await quotas.take(session, owner.user_id, day_of(now), limit):
        raise exceeded(limit, now)


def exceeded(limit: int, now: datetime) -> ApiError:
    """429 until midnight."""
    until = resets_at(now)
    wait = max(1, int((until - now).total_seconds()) + 1)
    message = (
        f"You have added or processed again {limit} files today, which is all that is allowed. "
        "The count starts anew at 00:00 UTC."
    )
    details = {"limit": limit, "resets_at": until.isoformat()}
    return ApiError(429, "daily_quota", message, details=details, headers={"Retry-After": str(wait)})
