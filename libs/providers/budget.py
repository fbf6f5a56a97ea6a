"""Turns what calls cost into a daily limit: once a day's money is spent, nothing is paid until the next day (UTC)."""

import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError


class _Spent(BaseModel):
    model_config = ConfigDict(extra="ignore")

    day: str
    usd: float


class DailyBudget:
    """``limit_usd`` a day for one process; calls already under way when it is reached are still paid.

    With ``path`` the day's sum survives a restart; without, it begins at 0 with the process. An unreadable file counts
    as nothing spent. ``now`` answers the time of day in UTC.
    """

    def __init__(
        self,
        limit_usd: float = math.inf,
        path: Path | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._limit_usd = limit_usd
        self._path = path
        self._now = now
        self._spent = self._read()

    @property
    def spent_usd(self) -> float:
        """Since midnight UTC."""
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
        """Counts a paid call, at once and for good."""
        self._spent = _Spent(day=self._today(), usd=self.spent_usd + usd)
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
