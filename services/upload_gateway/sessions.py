"""Turns the wish to send a file straight to the bucket into an upload session and a pending upload.

The name, type and metadata of the object are fixed here; its bytes are judged by media-processor like any others.
Content that turns out to be a duplicate is processed all the same: its bytes are there, refusing them would lose them.
"""

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime

from pydantic import JsonValue

from contracts.identifiers import new_upload_id, object_name
from hosting.answers import ApiError, not_found
from identity.principal import Principal
from objectstore.store import SESSION_LIFE, NewObject
from telemetry.propagation import current_trace_id
from upload_gateway import claiming, filenames, sniff
from upload_gateway.intake import accepted_filename, empty_file, object_metadata, parse_metadata, unsupported
from upload_gateway.multipart import MAX_FIELD_BYTES, METADATA_FIELD, too_large, too_long
from upload_gateway.resources import Resources
from upload_gateway.store import sessions, uploads
from upload_gateway.store.sessions import SessionRow
from upload_gateway.uploads import Requested, UploadState
from upload_gateway.view import Status

UNKNOWN_TYPE = "application/octet-stream"
_ORIGIN = re.compile(r"https?://[^\s/?#]{1,255}")


@dataclass(frozen=True)
class Announced:
    """A file as its sender describes it; of this only the size is binding."""

    filename: str
    size_bytes: int
    content_type: str | None
    sha256: str | None
    metadata: dict[str, JsonValue]
    allow_duplicate: bool


@dataclass(frozen=True)
class Session:
    """Where the bytes may be sent; ``url`` is None when there is nothing to send any more."""

    upload_id: str
    url: str | None
    expires_at: datetime
    status: Status


async def open_session(resources: Resources, owner: Principal, announced: Announced, origin: str | None) -> Session:
    """A pending upload and the session for its bytes. ``origin`` is the page that will send them, if one will.

    Raises ``ApiError`` 409, 413, 415, 422 or 429 (then nothing was created).
    """
    filename, expected, metadata = _inspect(announced, resources.max_file_bytes)
    await _expect_welcome(resources, owner, announced)
    stored_name = filenames.for_storage(filename)
    upload_id = new_upload_id(owner.user_id, stored_name)
    new = NewObject(
        resources.uploads_bucket,
        object_name(owner.user_id, upload_id, stored_name),
        announced.size_bytes,
        expected.media_type if expected else announced.content_type or UNKNOWN_TYPE,
        object_metadata(filename, announced.content_type),
    )
    url = await resources.objects.open_session(new, _page(origin))
    now = datetime.now(UTC)
    row = SessionRow(upload_id, owner.user_id, url, now + SESSION_LIFE)
    state = UploadState(
        upload_id=upload_id,
        user_id=owner.user_id,
        bucket=new.bucket,
        object_name=new.key,
        requested=Requested(
            filename=filename,
            kind=expected.kind if expected else None,
            media_type=new.media_type,
            size_bytes=announced.size_bytes,
            sha256=announced.sha256,
            metadata=metadata,
            trace_id=current_trace_id(),
            created_at=now,
            expected_until=row.expires_at,
            claims_content=not announced.allow_duplicate,
        ),
    )
    await _claim(resources, owner, state, row)
    return Session(upload_id, url, row.expires_at, Status.PENDING)


async def find_session(resources: Resources, user_id: str, upload_id: str) -> Session:
    """The session again, for whoever goes on with it. 404 when the upload has none."""
    async with resources.database.transaction(user_id) as session:
        upload = await uploads.find(session, user_id, upload_id)
        opened = await sessions.find(session, user_id, upload_id)
    if upload is None or opened is None or upload.status is Status.DELETED:
        raise not_found("upload session")
    waiting = upload.generation == 0 and datetime.now(UTC) < opened.expires_at
    return Session(upload_id, opened.session_url if waiting else None, opened.expires_at, upload.status)


async def _expect_welcome(resources: Resources, owner: Principal, announced: Announced) -> None:
    """Asked before a session is opened; only the claim decides."""
    await claiming.expect_room(resources, owner)
    if announced.sha256 and not announced.allow_duplicate:
        await claiming.expect_new(resources, owner, announced.sha256)


async def _claim(resources: Resources, owner: Principal, state: UploadState, opened: SessionRow) -> None:
    """A refusal takes the session back."""
    try:
        await claiming.claim(resources, owner, state, opened)
    except ApiError:
        await resources.objects.cancel_session(opened.session_url)
        raise


def _inspect(announced: Announced, max_bytes: int) -> tuple[str, sniff.Sniffed | None, dict[str, JsonValue]]:
    filename = accepted_filename(announced.filename)
    if announced.size_bytes == 0:
        raise empty_file()
    if announced.size_bytes > max_bytes:
        raise too_large(max_bytes)
    written = json.dumps(announced.metadata).encode()
    if len(written) > MAX_FIELD_BYTES:
        raise too_long(METADATA_FIELD)
    try:
        return filename, sniff.expect(filename, announced.content_type), parse_metadata(written)
    except sniff.UnsupportedTypeError as error:
        raise unsupported(error) from error


def _page(origin: str | None) -> str | None:
    """Storage lets exactly this page send; a page without an origin of its own gets nothing."""
    return origin if origin and _ORIGIN.fullmatch(origin) else None
