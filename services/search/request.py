"""Turns the JSON body of a search into checked parameters; whatever does not fit is refused with the field's name."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from hosting.ranges import QueryRanges, Ranges

MAX_QUERY = 1000
MAX_OFFSET = 10_000


class Mode(StrEnum):
    """What a search goes by."""

    HYBRID = "hybrid"
    SEMANTIC = "semantic"
    KEYWORD = "keyword"


class Sort(StrEnum):
    """In which order; a leading minus turns it round."""

    RELEVANCE = "relevance"
    OLDEST = "date"
    NEWEST = "-date"
    SMALLEST = "size"
    LARGEST = "-size"
    BY_NAME = "name"
    BY_NAME_BACKWARDS = "-name"


Language = Annotated[str, Field(pattern=r"^[A-Za-z]{2,3}$")]
"""ISO 639, without region: ``de`` also finds what is said to be ``de-AT``."""


class Wanted(Ranges):
    """Which files to look through, and which part of what is found to show.

    Files that moderation objects to are held out unless ``include_flagged``. ``has_text``: something is written or
    spoken inside. ``status``: ``complete`` files can be found by meaning, those of the others not yet or not any more.
    """

    file_types: list[Literal["image", "video", "audio", "document"]] | None = Field(default=None, max_length=4)
    languages: list[Language] | None = Field(default=None, max_length=20)
    has_text: bool | None = None
    status: Literal["complete", "processing", "failed"] | None = None
    include_flagged: bool = False
    limit: int = Field(default=20, ge=1, le=100)
    offset: int = Field(default=0, ge=0, le=MAX_OFFSET)

    def filters(self) -> "Filters":
        """What files are looked at."""
        return Filters(
            kinds=tuple(self.file_types) if self.file_types else None,
            created_from=self.created_from,
            created_before=self.created_before,
            min_bytes=self.min_bytes,
            max_bytes=self.max_bytes,
            languages=tuple(language.lower() for language in self.languages) if self.languages else None,
            has_text=self.has_text,
            status=self.status,
            include_flagged=self.include_flagged,
        )


class SearchRequest(Wanted):
    """``POST /api/v1/search``. ``sort`` puts the 2,000 most relevant files in another order."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    query: str = Field(min_length=1, max_length=MAX_QUERY, pattern=r"\S")
    mode: Literal["hybrid", "semantic", "keyword"] = "hybrid"
    sort: Literal["relevance", "date", "-date", "size", "-size", "name", "-name"] = "relevance"


class ImageRequest(QueryRanges, Wanted):
    """``POST /api/v1/search/image``: the parameters of its URL."""


@dataclass(frozen=True)
class Filters:
    """Which of a user's files count; None: no limit. ``required`` and ``excluded`` are tsquery texts."""

    kinds: tuple[str, ...] | None = None
    created_from: datetime | None = None
    created_before: datetime | None = None
    min_bytes: int | None = None
    max_bytes: int | None = None
    languages: tuple[str, ...] | None = None
    has_text: bool | None = None
    status: str | None = None
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
            "languages": list(self.languages) if self.languages else None,
            "has_text": self.has_text,
            "status": self.status,
            "required": list(self.required),
            "excluded": list(self.excluded),
            "other_than": self.other_than,
            "include_flagged": self.include_flagged,
        }
