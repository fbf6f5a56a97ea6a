"""What the API answers, as far as a client uses it. Fields added by newer servers are ignored."""

from datetime import date, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

UNFINISHED = frozenset({"pending", "processing"})


class Answered(BaseModel):
    """Base of all answers."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class SearchFilters(BaseModel):
    """Which files a search looks through; what is left out narrows nothing.

    ``file_types``: image, video, audio, document. ``languages``: ISO 639 codes without region. Days are whole ones in
    UTC, the last included; 1 MB is 2^20 bytes. ``status``: complete, processing or failed. Files that moderation
    objects to are held out unless ``include_flagged``.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    file_types: tuple[str, ...] | None = None
    languages: tuple[str, ...] | None = None
    date_from: datetime | date | None = None
    date_to: datetime | date | None = None
    min_size_mb: float | None = None
    max_size_mb: float | None = None
    has_text: bool | None = None
    status: str | None = None
    include_flagged: bool | None = None


EVERYTHING = SearchFilters()


class AcceptedUpload(Answered):
    """A file that was taken in; ``estimated_time`` in seconds until it is findable."""

    upload_id: str
    job_id: str
    status: str
    estimated_time: float | None = None


class UploadSession(Answered):
    """Where to send a file's bytes; ``session_url`` is None once it has arrived or the session has expired."""

    upload_id: str
    session_url: str | None = None
    status: str


class StartedRun(Answered):
    """An upload that is processed again."""

    upload_id: str
    run: int
    from_stage: str


class ApiKey(Answered):
    """An API key; ``key`` itself is told only when it is made."""

    key_id: str
    name: str
    key: str | None = None
    created_at: datetime | None = None
    last_used_at: datetime | None = None


class SignedUrl(Answered):
    """Where bytes can be had without credentials until ``expires_at``."""

    url: str
    media_type: str | None = None
    expires_at: datetime


class Failure(Answered):
    """Why processing failed, and what can be done."""

    code: str
    message: str
    advice: str | None = None
    retryable: bool = False


class LeftOut(Answered):
    """What could not be read of a file, and why."""

    step: str
    reason: str


class UploadResult(Answered):
    """What processing found, as far as the commands show it."""

    degradations: tuple[LeftOut, ...] = ()


class UploadStatus(Answered):
    """Where an upload is: ``status`` is pending, processing, completed, failed or deleted; ``progress`` 0–100."""

    upload_id: str
    status: str
    stage: str
    progress: int
    message: str = ""
    filename: str | None = None
    error: Failure | None = None
    trace_id: str | None = None
    attempts: int | None = None
    result: UploadResult | None = None

    @property
    def is_final(self) -> bool:
        """True when it will not change by itself any more."""
        return self.status not in UNFINISHED


class Upload(Answered):
    """One line of the list of uploads; ``size_bytes`` is known once the file has been looked at."""

    upload_id: str
    filename: str
    status: str
    file_type: str | None = None
    size_bytes: int | None = None
    created_at: datetime
    stage: str = ""
    progress: int = 0
    message: str = ""
    error: Failure | None = None

    @property
    def is_final(self) -> bool:
        """True when it will not change by itself any more."""
        return self.status not in UNFINISHED


class UploadPage(Answered):
    """Some uploads, newest first, and how many there are in all."""

    uploads: tuple[Upload, ...]
    total: int
    has_more: bool


class Place(Answered):
    """A place inside a file (a page, or seconds from its start) and what is written or said there."""

    text: str
    page: int | None = None
    start_s: float | None = None
    end_s: float | None = None
    section: str | None = None
    source: str | None = None


class TextPart(Place):
    """A part of a file's text; ``continues``: right where the part before ended."""

    continues: bool = False


class FileText(Answered):
    """Some of a file's text in its order; ``next``: where to go on, None at the end."""

    parts: tuple[TextPart, ...]
    next: int | None = None


class Moment(Place):
    """A place that was found."""

    score: float
    thumbnail_url: str | None = None
    highlights: tuple[tuple[int, int], ...] = ()
    """[start, end) in characters of ``text``."""


class FoundFile(Answered):
    """A file that was found, with its best moments."""

    upload_id: str
    filename: str
    file_type: str
    similarity_score: float
    created_at: datetime
    summary: str | None = None
    title: str | None = None
    thumbnail_url: str | None = None
    moments: tuple[Moment, ...] = ()


class SearchAnswer(Answered):
    """Found files, best first; ``processing`` counts files that are not findable by meaning yet.

    ``total_relation``: ``gte`` when there are more than ``total``. ``degraded``: the query was not encoded, so
    only words were compared. ``corrections``: word of the query that occurs nowhere → what it was taken for.
    """

    results: tuple[FoundFile, ...]
    search_id: str
    processing_time_ms: float
    total: int | None = None
    total_relation: str = "eq"
    processing: int = 0
    degraded: bool = False
    corrections: dict[str, str] = Field(default_factory=dict[str, str])


class Readiness(Answered):
    """What the gateway depends on and could not reach, and what it does without."""

    status: str
    down: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()


class Release(Answered):
    """What runs there."""

    version: str
    revision: str


class Quota(Answered):
    """Today's uploads."""

    limit: int | None
    used: int


class Stats(Answered):
    """The caller's uploads in figures."""

    total_uploads: int
    uploads_by_status: dict[str, int]
    total_storage_bytes: int
    quota: Quota


class Deployment(Answered):
    """A system elsewhere: is it ready, what runs there, and what the caller has in it."""

    url: str
    readiness: Readiness
    release: Release
    stats: Stats | None
    """None while it is not ready."""


class ErrorBody(Answered):
    """The error of an envelope."""

    code: str
    message: str
    details: dict[str, Any] = Field(default_factory=dict)


class Envelope(Answered):
    """What every JSON answer of the API is wrapped in."""

    status: str
    data: Any = None
    error: ErrorBody | None = None
    meta: dict[str, Any] = Field(default_factory=dict)
    trace_id: str | None = None
