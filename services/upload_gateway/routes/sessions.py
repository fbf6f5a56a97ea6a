"""``/upload/sessions``: where browsers and programs get a URL to send a file's bytes straight to the bucket."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field, JsonValue, StringConstraints

from contracts.identifiers import job_id_for
from hosting.answers import Answer
from hosting.app import API_ROOT
from identity.principal import Caller
from objectstore.store import CHUNK_MULTIPLE
from upload_gateway.idempotency import IdempotencyKey, fingerprint_of, once
from upload_gateway.resources import Gateway
from upload_gateway.routes.errors import refusals
from upload_gateway.routes.representations import UploadIdPath
from upload_gateway.routes.upload import OnDuplicate
from upload_gateway.sessions import Announced, Session, find_session, open_session
from upload_gateway.store.idempotency import KeyName
from upload_gateway.view import Status

router = APIRouter(prefix=API_ROOT, tags=["upload"])

_OPENED = {
    201: {"description": "Send the bytes by PUT to `session_url`, in pieces of whole multiples of `chunk_multiple`."}
}
_REFUSED = refusals(
    "duplicate", "in_progress", "file_size", "unsupported_format", "empty", "filename", "invalid_metadata",
    "invalid_request", "idempotency_mismatch", "daily_quota",
)  # fmt: skip


class SessionWish(BaseModel):
    """A file about to be sent."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"filename": "harbour.mp4", "size": 73400320, "content_type": "video/mp4", "metadata": {}}]
        },
    )

    filename: Annotated[str, StringConstraints(max_length=1024)]
    size: Annotated[int, Field(ge=0, le=2**53, description="bytes; exactly so many must be sent")]
    content_type: Annotated[
        str | None, StringConstraints(max_length=255, pattern=r"^[A-Za-z0-9.+_-]+/[A-Za-z0-9.+_-]+( *;[ -~]*)?$")
    ] = None
    sha256: Annotated[
        str | None, StringConstraints(pattern=r"^[0-9a-fA-F]{64}$", to_lower=True), Field(description="of the bytes")
    ] = None
    metadata: Annotated[dict[str, JsonValue], Field(description="at most 8 KiB of JSON")] = Field(
        default_factory=dict[str, JsonValue]
    )


class UploadSession(BaseModel):
    """Where to send the bytes. ``session_url`` needs no credential: whoever has it may send this one file."""

    upload_id: str
    job_id: str
    session_url: str | None = Field(description="null once the file has arrived or the session has expired")
    expires_at: datetime
    chunk_multiple: int = CHUNK_MULTIPLE
    status: Status


@router.post("/upload/sessions", status_code=201, responses=_OPENED | _REFUSED)
async def create_session(
    wish: SessionWish,
    request: Request,
    response: Response,
    caller: Caller,
    gateway: Gateway,
    on_duplicate: OnDuplicate = OnDuplicate.REJECT,
    idempotency_key: IdempotencyKey = None,
) -> Answer[UploadSession]:
    """A pending upload and a URL for its bytes; for files over 32 MiB in the cloud, and where connections break."""
    allow = on_duplicate is OnDuplicate.ALLOW
    fingerprint = fingerprint_of([wish.model_dump(mode="json"), allow])
    announced = Announced(wish.filename, wish.size, wish.content_type, wish.sha256, wish.metadata, allow)

    async def begin() -> tuple[UploadSession, str]:
        opened = await open_session(gateway, caller, announced, request.headers.get("origin"))
        return _shown(opened), fingerprint

    async def identify() -> str:
        return fingerprint

    name = KeyName(caller.user_id, "session", idempotency_key) if idempotency_key else None
    outcome = await once(gateway, name, UploadSession, begin, identify)
    response.headers.update(outcome.headers)
    response.headers["Cache-Control"] = "no-store"
    return Answer(data=outcome.data)


@router.get("/upload/sessions/{upload_id}", responses=refusals("not_found"))
async def session(
    upload_id: UploadIdPath, response: Response, caller: Caller, gateway: Gateway
) -> Answer[UploadSession]:
    """The session again, to go on after a break: ask it how far it is by ``Content-Range: bytes */SIZE``."""
    response.headers["Cache-Control"] = "no-store"
    return Answer(data=_shown(await find_session(gateway, caller.user_id, upload_id)))


def _shown(opened: Session) -> UploadSession:
    return UploadSession(
        upload_id=opened.upload_id,
        job_id=job_id_for(opened.upload_id),
        session_url=opened.url,
        expires_at=opened.expires_at,
        status=opened.status,
    )
