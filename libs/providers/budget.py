"""Turns what calls cost into a daily limit: once a day's money is spent, nothing is paid until the next day (UTC)."""

import asyncio
import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from providers.shared_limits import SharedLimits

_MICRO = 1_000_000


class _Spent(BaseModel):
    model_config = ConfigDict(extra="ignore")

    day: str
    usd: float


class DailyBudget:
    """``limit_usd`` a day; calls already under way when it is reached are still paid.

    With ``shared`` it is the limit of all processes that name the same ``purse``; while the store is away each counts
    on from what it last heard and tells the rest later, and what the store forgot is told again. Without, it is the
    limit of one process. With ``path`` the day's sum survives a restart without a store; an unreadable file counts as
    nothing spent. ``now`` returns the time of day in UTC. Belongs to one event loop.
    """

    def __init__(
        self,
        limit_usd: float = math.inf,
        path: Path | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        *,
        shared: SharedLimits | None = None,
        purse: str = "",
    ) -> None:
        self._limit_usd = limit_usd
        self._path = path
        self._now = now
        self._shared = shared
        self._purse = purse
        self._untold_usd = 0.0
        self._heard_micro_usd = 0
        self._telling = asyncio.Lock()
        self._spent = self._read()

    @property
    def spent_usd(self) -> float:
        """Since midnight UTC, as far as is known here."""
        return self._spent.usd if self._spent.day == self._today() else 0.0

    @property
    def used(self) -> float:
        """The share of the day's money that is spent; 0 without a limit."""
        return self.spent_usd / self._limit_usd if self._limit_usd > 0 else 1.0

    def wait_s(self) -> float:
        """0 while there is money left, else the seconds until midnight UTC."""
        if self.spent_usd < self._limit_usd:
            return 0.0
        now = self._now()
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
        return (midnight - now).total_seconds()

    def charge(self, usd: float) -> None:
        """Counts a paid call, at once and for good; the others hear of it at the next :meth:`settle`."""
        self._begin_today()
        self._untold_usd += usd
        self._note(self.spent_usd + usd)

    async def settle(self) -> None:
        """Tells the other processes what this one has paid, and learns what all have."""
        if self._shared is None:
            return
        async with self._telling:  # or two at once would tell the same twice
            self._begin_today()
            day, micro_usd = self._spent.day, int(self._untold_usd * _MICRO)
            total = await self._shared.add(self._purse, day, micro_usd)
            if total is None or day != self._spent.day:
                return
            self._untold_usd -= micro_usd / _MICRO
            forgotten = self._heard_micro_usd + micro_usd - total
            if forgotten > 0:  # by a store that began anew
                await self._shared.add(self._purse, day, forgotten)
            self._heard_micro_usd = total + max(forgotten, 0)
            self._note(self._heard_micro_usd / _MICRO + self._untold_usd)

    def _begin_today(self) -> None:
        if self._spent.day != self._today():
            self._untold_usd = 0.0
            self._heard_micro_usd = 0
            self._spent = _Spent(day=self._today(), usd=0.0)

    def _note(self, usd: float) -> None:
        self._spent = _Spent(day=self._spent.day, usd=usd)
        if self._path:
            fresh = self._path.with_suffix(".new")
            fresh.write_text(self._spent.model_dump_json())
            fresh.replace(self._path)

    def _today(self) -> str:
        return self._now().date().isoformat()

    def _read(self) -> _Spent:
        try:
            if self._path:
                return _Spent.model_validate_json(self._path.read_text())
        except (OSError, ValidationError):
            pass
        return _Spent(day=self._today(), usd=0.0)
