"""``POST /upload`` and what is done to one upload afterwards: status, delete, restore, retry, process."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict

from contracts.artifacts import Service
from contracts.identifiers import job_id_for, upload_id_for_job
from hosting.answers import Answer, ApiError, not_found, written
from hosting.app import API_ROOT
from hosting.routes import STREAMED
from identity.principal import Caller
from upload_gateway import changes
from upload_gateway.idempotency import IdempotencyKey, once
from upload_gateway.intake import read_through, take_in
from upload_gateway.multipart import drain
from upload_gateway.quota import charged_for
from upload_gateway.resources import Gateway
from upload_gateway.routes.errors import refusals
from upload_gateway.routes.representations import UploadIdPath, UploadProgress, existing_form, progress
from upload_gateway.store import reading
from upload_gateway.store.idempotency import KeyName
from upload_gateway.view import Status

router = APIRouter(prefix=API_ROOT, tags=["upload"])

_FORM: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {
                        "file": {"type": "string", "format": "binary"},
                        "metadata": {"type": "string", "description": "a JSON object, at most 8 KiB"},
                    },
                }
            }
        },
    }
}


_REFUSED = refusals(
    "bad_multipart", "duplicate", "in_progress", "file_size", "unsupported_format", "empty", "filename",
    "invalid_metadata", "idempotency_mismatch", "daily_quota", "body_too_slow", "too_many_uploads", "busy",
)  # fmt: skip
_REFUSED_UNREAD = ("in_progress", "too_many_uploads", "busy")


class OnDuplicate(StrEnum):
    """What to do with a file the user has uploaded before."""

    REJECT = "reject"
    ALLOW = "allow"


class RunnableStage(StrEnum):
    """A stage processing can start from."""

    MEDIA_PROCESSOR = Service.MEDIA_PROCESSOR.value
    ANALYZER = Service.ANALYZER.value
    EMBEDDER = Service.EMBEDDER.value


class UploadAccepted(BaseModel):
    """The file is stored; processing follows. ``estimated_time`` in seconds."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "upload_id": "upl_uk5cx3qyiwvvtw2xxc4j22mrzg",
                    "job_id": "job_uk5cx3qyiwvvtw2xxc4j22mrzg",
                    "status": "queued",
                    "estimated_time": 2.4,
                }
            ]
        }
    )

    upload_id: str
    job_id: str
    status: Literal["queued"] = "queued"
    estimated_time: float


class Deletion(BaseModel):
    """An upload that is gone from lists and search."""

    upload_id: str
    deleted_at: datetime
    purged: bool


class Run(BaseModel):
    """Processing that starts again."""

    upload_id: str
    job_id: str
    status: Literal["queued"] = "queued"
    run: int
    from_stage: Service


@router.post("/upload", status_code=202, openapi_extra=_FORM, responses=_REFUSED, max_body_size=STREAMED)
async def upload(
    request: Request,
    response: Response,
    caller: Caller,
    gateway: Gateway,
    on_duplicate: OnDuplicate = OnDuplicate.REJECT,
    idempotency_key: IdempotencyKey = None,
) -> Answer[UploadAccepted]:
    """Stores one file, streamed straight into the bucket, and queues it for processing.

    The file must keep coming, and a user may send so many at a time.
    """
    allow = on_duplicate is OnDuplicate.ALLOW

    async def store() -> tuple[UploadAccepted, str]:
        accepted = await take_in(gateway, caller, request, allow_duplicate=allow)
        job_id = job_id_for(accepted.upload_id)
        answer = UploadAccepted(upload_id=accepted.upload_id, job_id=job_id, estimated_time=accepted.estimated_seconds)
        return answer, accepted.offer.fingerprint(allow_duplicate=allow)

    async def identify() -> str:
        return (await read_through(gateway, request)).fingerprint(allow_duplicate=allow)

    name = KeyName(caller.user_id, "upload", idempotency_key) if idempotency_key else None
    try:
        with gateway.places.one_for(caller.user_id):
            outcome = await once(gateway, name, UploadAccepted, store, identify)
    except ApiError as error:
        if error.code in _REFUSED_UNREAD:
            await drain(request.stream())
        raise
    response.headers.update(outcome.headers)
    return Answer(data=outcome.data)


@router.get("/upload/status/{job_id}", response_model=Answer[UploadProgress], responses=refusals("not_found"))
async def status(job_id: str, caller: Caller, gateway: Gateway) -> Response:
    """Where an upload is; takes the job id or the upload id."""
    upload_id = existing_form(upload_id_for_job(job_id))
    row = await reading.find(gateway.database, caller.user_id, upload_id)
    if row is None or row.status == Status.DELETED:
        raise not_found("upload")
    return written(Answer(data=progress(row)))


@router.delete("/upload/{upload_id}", responses=refusals("not_found", "still_arriving"))
async def delete(upload_id: UploadIdPath, caller: Caller, gateway: Gateway, purge: bool = False) -> Answer[Deletion]:
    """Takes an upload out of lists and search; with ``purge`` its bytes are removed now and for ever."""
    gone = await changes.delete_upload(gateway, caller.user_id, upload_id, datetime.now(UTC), purge=purge)
    return Answer(data=Deletion(upload_id=upload_id, deleted_at=gone.deleted_at, purged=gone.purged))


@router.post(
    "/upload/{upload_id}/restore",
    status_code=202,
    responses=refusals("not_found", "not_deleted", "gone", "daily_quota"),
)
async def restore(upload_id: UploadIdPath, caller: Caller, gateway: Gateway) -> Answer[Run]:
    """Brings a deleted upload back with what was found in it; its vectors are made anew, and what was unfinished."""
    return _run(await changes.restore_upload(gateway, caller.user_id, upload_id, charged_for(caller)))


@router.post("/upload/{upload_id}/retry", status_code=202, responses=refusals("not_found", "not_failed", "daily_quota"))
async def retry(upload_id: UploadIdPath, caller: Caller, gateway: Gateway) -> Answer[Run]:
    """Runs a failed upload again from the stage that failed."""
    return _run(await changes.retry_upload(gateway, caller.user_id, upload_id, charged_for(caller)))


@router.post(
    "/process/{upload_id}",
    status_code=202,
    responses=refusals("not_found", "not_ready", "invalid_request", "daily_quota"),
)
async def process(
    upload_id: UploadIdPath,
    caller: Caller,
    gateway: Gateway,
    from_stage: Annotated[RunnableStage, Query()] = RunnableStage.MEDIA_PROCESSOR,
) -> Answer[Run]:
    """Runs an upload again from a chosen stage; what lies before it is reused."""
    stage = Service(from_stage.value)
    return _run(await changes.process_upload(gateway, caller.user_id, upload_id, stage, charged_for(caller)))


def _run(started: changes.Started) -> Answer[Run]:
    job_id = job_id_for(started.upload_id)
    return Answer(data=Run(upload_id=started.upload_id, job_id=job_id, run=started.run, from_stage=started.from_stage))
