"""Turns rows into what the API answers."""

import re
from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, JsonValue

from contracts.artifacts import Degradation, Kind, MediaProperties, Service, Usage
from contracts.identifiers import UPLOAD_ID_PATTERN, job_id_for
from hosting.answers import not_found
from hosting.app import API_ROOT
from upload_gateway.stages import History, StageDone, stages_of
from upload_gateway.store.reading import FoundUpload, ListedUpload
from upload_gateway.store.uploads import UploadRow
from upload_gateway.view import Failure, Status, in_words

_UPLOAD_ID = re.compile(UPLOAD_ID_PATTERN)


def existing_form(upload_id: str) -> str:
    """An id that could be one; anything else is answered like one that does not exist."""
    if not _UPLOAD_ID.fullmatch(upload_id):
        raise not_found("upload")
    return upload_id


UploadIdPath = Annotated[str, AfterValidator(existing_form)]
"""A path parameter ``upload_id``."""


class ErrorShown(BaseModel):
    """Why processing failed and what can be done."""

    code: str
    message: str
    advice: str
    retryable: bool
    stage: Service


class UploadShown(BaseModel):
    """An upload in a list."""

    upload_id: str
    job_id: str
    filename: str
    file_type: Kind | None
    media_type: str | None
    size_bytes: int | None
    status: Status
    stage: str
    progress: int
    message: str
    error: ErrorShown | None
    title: str | None
    summary: str | None
    labels: tuple[str, ...]
    thumbnail_url: str | None
    preview_url: str | None
    attempts: int
    trace_id: str | None
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None


class UploadResult(BaseModel):
    """What processing found."""

    file_type: Kind | None
    title: str | None
    summary: str | None
    labels: tuple[str, ...]
    language: str | None
    properties: MediaProperties | None
    thumbnail_url: str | None
    preview_url: str | None
    degradations: tuple[Degradation, ...]


class UploadProgress(BaseModel):
    """Where an upload is; ``result`` once it is completed."""

    upload_id: str
    job_id: str
    filename: str
    status: Status
    stage: str
    progress: int
    message: str
    error: ErrorShown | None
    attempts: int
    timings: dict[str, float]
    trace_id: str | None
    result: UploadResult | None
    created_at: datetime
    updated_at: datetime


class Dimensions(BaseModel):
    """Pixels."""

    width: int
    height: int


class FileMetadata(UploadShown):
    """Everything known of a file. ``timings`` are seconds by stage, ``cost_usd`` of ``stages`` and of a failure."""

    duration_s: float | None
    dimensions: Dimensions | None
    page_count: int | None
    stages: tuple[StageDone, ...]
    processing_time_ms: int | None
    cost_usd: float
    sha256: str | None
    language: str | None
    properties: MediaProperties | None
    degradations: tuple[Degradation, ...]
    timings: dict[str, float]
    usage: Usage
    bucket: str
    object_name: str
    generation: int
    metadata: dict[str, JsonValue]


def shown(row: UploadRow) -> UploadShown:
    """As in lists."""
    return UploadShown.model_validate(listed(row))


def progress(row: FoundUpload) -> dict[str, Any]:
    """For status: the fields of :class:`UploadProgress`."""
    known = listed(row) | {"timings": row.timings, "result": None}
    if row.status == Status.COMPLETED:
        found = known | _facts(row)
        known["result"] = {name: found[name] for name in UploadResult.model_fields}
    return {name: known[name] for name in UploadProgress.model_fields}


def metadata(row: FoundUpload, history: History) -> dict[str, Any]:
    """For one file: the fields of :class:`FileMetadata`; row and history are of the same moment."""
    known = _facts(row)
    facts = known["properties"] or MediaProperties()
    return {
        **listed(row),
        **known,
        "duration_s": facts.duration_s,
        "dimensions": {"width": facts.width, "height": facts.height} if facts.width and facts.height else None,
        "page_count": facts.page_count,
        "stages": stages_of(history),
        "processing_time_ms": None if row.processing_s is None else round(row.processing_s * 1000),
        "cost_usd": row.usage["cost_usd"],
        "sha256": row.sha256,
        "timings": row.timings,
        "usage": row.usage,
        "bucket": row.bucket,
        "object_name": row.object_name,
        "generation": row.generation,
        "metadata": history.requested.metadata,
    }


def _facts(row: FoundUpload) -> dict[str, Any]:
    """What was found in a file. Its properties are a model: older rows may lack what is asked for since."""
    properties = row.properties and MediaProperties.model_validate(row.properties)
    return {"language": row.language, "properties": properties, "degradations": row.degradations}


def listed(row: UploadRow | ListedUpload | FoundUpload) -> dict[str, Any]:
    """For lists: the fields of :class:`UploadShown`."""
    return {
        "upload_id": row.upload_id,
        "job_id": job_id_for(row.upload_id),
        "filename": row.filename,
        "file_type": row.kind,
        "media_type": row.media_type,
        "size_bytes": row.size_bytes,
        "status": row.status,
        "stage": row.stage,
        "progress": row.progress,
        "message": in_words(row.status, row.stage, row.error, arrived=row.generation > 0),
        "error": _error(row.error),
        "title": row.title,
        "summary": row.summary,
        "labels": row.labels,
        "thumbnail_url": f"{API_ROOT}/file/{row.upload_id}/thumbnail" if row.thumbnail else None,
        "preview_url": f"{API_ROOT}/file/{row.upload_id}/preview" if row.preview else None,
        "attempts": row.attempts,
        "trace_id": row.trace_id,
        "created_at": row.created_at,
        "updated_at": row.updated_at,
        "deleted_at": row.hidden_at,
    }


def _error(failure: Failure | None) -> ErrorShown | None:
    if failure is None:
        return None
    return ErrorShown(
        code=failure.code.value,
        message=failure.message,
        advice=failure.advice,
        retryable=failure.retryable,
        stage=failure.stage,
    )
