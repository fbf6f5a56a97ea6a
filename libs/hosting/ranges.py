"""Turns the dates and sizes a list or a search is limited to into instants and bytes, the same in every service."""

import math
import re
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, field_validator, model_validator

MEBIBYTE = 1024 * 1024
_NUMBER = re.compile(r"[+-]?[\d.]+")
_DAY_LENGTH = len("2026-11-21")
_TIME = TypeAdapter(datetime)
_FIRST_INSTANT = datetime.min.replace(tzinfo=UTC)
_LAST_INSTANT = datetime.max.replace(tzinfo=UTC)

Megabytes = Annotated[float, Field(ge=0, le=1_000_000, allow_inf_nan=False)]


class Ranges(BaseModel):
    """From when to when, from which size to which. Dates without a time mean whole days in UTC, the last one
    included; 1 MB is 2^20 bytes.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    date_from: datetime | date | None = None
    date_to: datetime | date | None = None
    min_size_mb: Megabytes | None = None
    max_size_mb: Megabytes | None = None

    @field_validator("date_from", "date_to", mode="before")
    @classmethod
    def _as_written(cls, given: object) -> object:
        if not isinstance(given, str):
            return given
        # Numbers would pass for seconds since 1970, and a year for half an hour of that January.
        if _NUMBER.fullmatch(given.strip()):
            raise ValueError("a date is written 2026-11-21, a time 2026-11-21T09:30:00Z")
        with suppress(ValueError):
            return date.fromisoformat(given) if len(given) == _DAY_LENGTH else _TIME.validate_python(given)
        return given

    @property
    def created_from(self) -> datetime | None:
        """The first instant that counts."""
        return _instant(self.date_from) if self.date_from else None

    @property
    def created_before(self) -> datetime | None:
        """The first instant that does not count any more."""
        return _end(self.date_to) if self.date_to else None

    @property
    def min_bytes(self) -> int | None:
        """The least size."""
        return None if self.min_size_mb is None else math.ceil(self.min_size_mb * MEBIBYTE)

    @property
    def max_bytes(self) -> int | None:
        """The greatest size."""
        return None if self.max_size_mb is None else int(self.max_size_mb * MEBIBYTE)

    @model_validator(mode="after")
    def _ranges_are_not_empty(self) -> Self:
        first, end = self.created_from, self.created_before
        if first and end and first >= end:
            raise ValueError("date_from lies after date_to")
        if self.min_size_mb is not None and self.max_size_mb is not None and self.min_size_mb > self.max_size_mb:
            raise ValueError("min_size_mb is greater than max_size_mb")
        return self


def _instant(day: datetime | date) -> datetime:
    if not isinstance(day, datetime):
        return datetime.combine(day, time(), UTC)
    if day.tzinfo is None:
        return day.replace(tzinfo=UTC)
    try:
        return day.astimezone(UTC)
    except OverflowError:  # the first or last day of the calendar, seen from elsewhere
        return _FIRST_INSTANT if day.year == 1 else _LAST_INSTANT


def _end(day: datetime | date) -> datetime:
    instant = _instant(day)
    try:
        return instant + (timedelta(microseconds=1) if isinstance(day, datetime) else timedelta(days=1))
    except OverflowError:
        return instant
