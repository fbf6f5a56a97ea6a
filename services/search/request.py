"""Turns the JSON body of a search into checked parameters; whatever does not fit is refused with the field's name."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

MEBIBYTE = 1024 * 1024
MAX_QUERY = 1000
MAX_OFFSET = 10_000

_FIRST_INSTANT = datetime.min.replace(tzinfo=UTC)
_LAST_INSTANT = datetime.max.replace(tzinfo=UTC)


class Mode(StrEnum):
    """What a search goes by."""

    HYBRID = "hybrid"
    SEMANTIC = "semantic"
    KEYWORD = "keyword"


Megabytes = Annotated[float, Field(ge=0, le=1_000_000, allow_inf_nan=False)]


class SearchRequest(BaseModel):
    """``POST /api/v1/search``.

    Files that moderation objects to are held out unless ``include_flagged``.
    Dates without a time mean whole days in UTC, the last one included; 1 MB is 2^20 bytes.
    """

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    query: str = Field(min_length=1, max_length=MAX_QUERY, pattern=r"\S")
    file_types: list[Literal["image", "video", "audio", "document"]] | None = Field(default=None, max_length=4)
    date_from: datetime | date | None = None
    date_to: datetime | date | None = None
    min_size_mb: Megabytes | None = None
    max_size_mb: Megabytes | None = None
    include_flagged: bool = False
    mode: Literal["hybrid", "semantic", "keyword"] = "hybrid"
    limit: int = Field(default=20, ge=1, le=100)
    offset: int = Field(default=0, ge=0, le=MAX_OFFSET)

    @model_validator(mode="after")
    def _ranges_are_not_empty(self) -> "SearchRequest":
        filters = self.filters()
        if filters.created_from and filters.created_before and filters.created_from >= filters.created_before:
            raise ValueError("date_from lies after date_to")
        if filters.min_bytes is not None and filters.max_bytes is not None and filters.min_bytes > filters.max_bytes:
            raise ValueError("min_size_mb is greater than max_size_mb")
        return self

    def filters(self) -> "Filters":
        """What files are looked at."""
        return Filters(
            kinds=tuple(self.file_types) if self.file_types else None,
            created_from=_instant(self.date_from) if self.date_from else None,
            created_before=_end(self.date_to) if self.date_to else None,
            min_bytes=None if self.min_size_mb is None else int(self.min_size_mb * MEBIBYTE),
            max_bytes=None if self.max_size_mb is None else int(self.max_size_mb * MEBIBYTE),
            include_flagged=self.include_flagged,
        )


@dataclass(frozen=True)
class Filters:
    """Which of a user's files count; None: no limit. ``required`` and ``excluded`` are tsquery texts."""

    kinds: tuple[str, ...] | None = None
    created_from: datetime | None = None
    created_before: datetime | None = None
    min_bytes: int | None = None
    max_bytes: int | None = None
    required: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    other_than: str | None = None
    include_flagged: bool = False

    def parameters(self) -> Mapping[str, Any]:
        """The values for the store's statements."""
        return {
            "kinds": list(self.kinds) if self.kinds else None,
            "created_from": self.created_from,
            "created_before": self.created_before,
            "min_bytes": self.min_bytes,
            "max_bytes": self.max_bytes,
            "required": list(self.required),
            "excluded": list(self.excluded),
            "other_than": self.other_than,
            "include_flagged": self.include_flagged,
        }


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
