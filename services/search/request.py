"""The parameters of a search, checked; an invalid one is refused with the name of its field."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from hosting.ranges import Ranges

MAX_QUERY = 1000
MAX_OFFSET = 10_000


class Mode(StrEnum):
    """What files are found by: words, meaning or both."""

    HYBRID = "hybrid"
    SEMANTIC = "semantic"
    KEYWORD = "keyword"


class Sort(StrEnum):
    """The order of results; a leading minus reverses it."""

    RELEVANCE = "relevance"
    OLDEST = "date"
    NEWEST = "-date"
    SMALLEST = "size"
    LARGEST = "-size"
    BY_NAME = "name"
    BY_NAME_BACKWARDS = "-name"


Language = Annotated[str, Field(pattern=r"^[A-Za-z]{2,3}$")]
"""ISO 639, without region: ``de`` also finds files in ``de-AT``."""


class FilterParameters(Ranges):
    """Which files to search, and which part of the results to return.

    Files that moderation objects to are excluded unless ``include_flagged``. ``has_text``: something is written or
    spoken inside. ``status``: ``complete`` files can be found by meaning, the others not yet or not any more.
    """

    file_types: list[Literal["image", "video", "audio", "document"]] | None = Field(default=None, max_length=4)
    languages: list[Language] | None = Field(default=None, max_length=20)
    has_text: bool | None = None
    status: Literal["complete", "processing", "failed"] | None = None
    include_flagged: bool = False
    limit: int = Field(default=20, ge=1, le=100)
    offset: int = Field(default=0, ge=0, le=MAX_OFFSET)

    def filters(self) -> "Filters":
        """Returns the filters of the request."""
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


class SearchRequest(FilterParameters):
    """Body of ``POST /api/v1/search``. ``sort`` reorders the 2,000 most relevant files."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    query: str = Field(min_length=1, max_length=MAX_QUERY, pattern=r"\S")
    mode: Literal["hybrid", "semantic", "keyword"] = "hybrid"
    sort: Literal["relevance", "date", "-date", "size", "-size", "name", "-name"] = "relevance"


class ImageRequest(FilterParameters):
    """Query parameters of ``POST /api/v1/search/image``."""


@dataclass(frozen=True)
class Filters:
    """Which of a user's files are searched; None: no limit. ``required`` and ``excluded`` are tsquery texts.

    ``other_than``: the id of a file to leave out. ``answering``: the id of the model that ``status`` is about.
    """

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
    answering: str = ""

    def parameters(self) -> Mapping[str, Any]:
        """Returns the values of the conditions in :mod:`search.store.filtering`."""
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
            "answering": self.answering,
        }
