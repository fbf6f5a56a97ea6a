"""Turns an upload request into an object in the bucket and a pending upload, or into a reason why not.

The row is written just before the object becomes visible: whoever hears of the object finds the row, and what was
refused, cut off or stored before leaves neither.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import structlog
from fastapi import Request
from pydantic import JsonValue

from contracts.artifacts import Kind
from contracts.identifiers import new_upload_id, object_name
from database.engine import DatabaseUnavailableError
from hosting.answers import ApiError
from objectstore.store import ObjectExistsError, ObjectNotFoundError, StoredObject, StoreUnavailableError, StreamDigest
from telemetry.propagation import carrier, current_trace_id
from upload_gateway import filenames, sniff
from upload_gateway.multipart import FileHeaders, MultipartUpload, boundary_of, too_large
from upload_gateway.resources import Resources
from upload_gateway.store import figures, uploads
from upload_gateway.store.uploads import UploadRow
from upload_gateway.uploads import Requested, UploadState, mark_stored

FORM_OVERHEAD_BYTES = 256 * 1024
"""What boundaries, headers and fields may add to the file in one request."""
ABANDONED_AFTER = timedelta(minutes=5)
"""A row whose object did not become visible for so long belongs to an upload that was cut off."""
USUAL_SECONDS: dict[Kind, float] = {Kind.IMAGE: 2, Kind.DOCUMENT: 5, Kind.AUDIO: 10, Kind.VIDEO: 20}
"""Until a user's own files say better."""

_log = structlog.get_logger()


@dataclass(frozen=True)
class Accepted:
    """An upload that is in the bucket."""

    upload_id: str
    estimated_seconds: float


@dataclass(frozen=True)
class _Arriving:
    """A file about to be stored."""

    user_id: str
    upload_id: str
    object_name: str
    filename: str
    sniffed: sniff.Sniffed
    allow_duplicate: bool


async def take_in(resources: Resources, user_id: str, request: Request, *, allow_duplicate: bool) -> Accepted:
    """Streams the request's file into the bucket. Raises ``ApiError`` (then nothing was created)."""
    boundary = boundary_of(request.headers.get("content-type"))
    if _announced_bytes(request) > resources.max_file_bytes + FORM_OVERHEAD_BYTES:
        raise too_large(resources.max_file_bytes)
    body = MultipartUpload(request.stream(), boundary, resources.max_file_bytes)
    try:
        headers, head = await body.open(sniff.ENOUGH_BYTES)
        arriving = _inspect(user_id, headers, head, allow_duplicate)
        stored = await _store(resources, arriving, headers, body)
    except (ApiError, StoreUnavailableError, DatabaseUnavailableError):
        await body.drain()
        raise
    return await _settle(resources, arriving, stored)


def _announced_bytes(request: Request) -> int:
    announced = request.headers.get("content-length", "0")
    return int(announced) if announced.isdecimal() else 0


def _inspect(user_id: str, headers: FileHeaders, head: bytes, allow_duplicate: bool) -> _Arriving:
    try:
        filename = filenames.accept(headers.filename)
    except filenames.BadFilenameError as error:
        raise ApiError(422, "filename", str(error)) from error
    if not head:
        raise ApiError(422, "file_size", "The file is empty.")
    try:
        sniffed = sniff.sniff(head)
    except sniff.UnsupportedTypeError as error:
        message = f"This kind of file is not supported: it looks like {error}."
        raise ApiError(415, "unsupported_format", message, details={"found": str(error)}) from error
    stored_name = filenames.for_storage(filename)
    upload_id = new_upload_id(user_id, stored_name)
    name = object_name(user_id, upload_id, stored_name)
    return _Arriving(user_id, upload_id, name, filename, sniffed, allow_duplicate)


async def _store(
    resources: Resources, arriving: _Arriving, headers: FileHeaders, body: MultipartUpload
) -> StoredObject:
    """The object, with its row written just before."""
    bucket = resources.uploads_bucket
    metadata = {**carrier(), "filename": arriving.filename}
    if headers.media_type:
        metadata["declared-media-type"] = headers.media_type[:255]

    async def before_commit(digest: StreamDigest) -> None:
        await _claim(resources, arriving, _pending(bucket, arriving, digest, body.fields.get("metadata")))

    try:
        return await resources.objects.put_stream(
            bucket, arriving.object_name, body.chunks(), arriving.sniffed.media_type, metadata, before_commit
        )
    except ApiError:
        raise
    except ObjectExistsError:  # nobody else can know the name: our own write, its answer lost on the way
        return await resources.objects.stat(bucket, arriving.object_name)
    except Exception:
        await _forget(resources, arriving)
        raise


def _pending(bucket: str, arriving: _Arriving, digest: StreamDigest, metadata: bytes | None) -> UploadState:
    return UploadState(
        upload_id=arriving.upload_id,
        user_id=arriving.user_id,
        bucket=bucket,
        object_name=arriving.object_name,
        requested=Requested(
            filename=arriving.filename,
            kind=arriving.sniffed.kind,
            media_type=arriving.sniffed.media_type,
            size_bytes=digest.size_bytes,
            sha256=digest.sha256,
            metadata=parse_metadata(metadata),
            trace_id=current_trace_id(),
            created_at=datetime.now(UTC),
            claims_content=not arriving.allow_duplicate,
        ),
    )


def parse_metadata(field: bytes | None) -> dict[str, JsonValue]:
    """The optional JSON object a client sends along; 422 when it is anything else."""
    if field is None or not field.strip():
        return {}
    try:
        value: Any = json.loads(field, parse_constant=_refuse_constant)
        written = json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise ApiError(422, "invalid_metadata", "“metadata” is not JSON.") from error
    if not isinstance(value, dict) or b"\\u0000" in written:
        raise ApiError(422, "invalid_metadata", "“metadata” must be a JSON object without NUL characters.")
    return cast("dict[str, JsonValue]", value)


def _refuse_constant(name: str) -> None:
    raise ValueError(name)


async def _claim(resources: Resources, arriving: _Arriving, state: UploadState) -> None:
    """Writes the row; 409 when the user has these bytes already."""
    assert state.requested is not None
    for _ in range(3):
        async with resources.database.transaction(arriving.user_id) as session:
            existing = None
            if not arriving.allow_duplicate:
                existing = await uploads.find_same_content(session, arriving.user_id, state.requested.sha256)
            if existing is None and await uploads.claim(session, state):
                return
        if existing is not None and not await forget_if_abandoned(resources, existing):
            details = {"upload_id": existing.upload_id, "filename": existing.filename}
            raise ApiError(409, "duplicate", "You have uploaded this very file before.", details=details)
    raise ApiError(409, "duplicate", "The same file is being uploaded right now.")


async def forget_if_abandoned(resources: Resources, upload: UploadRow) -> bool:
    """Removes an upload that was cut off between its row and its object; False for any other."""
    if upload.generation > 0 or datetime.now(UTC) - upload.created_at < ABANDONED_AFTER:
        return False
    try:
        await resources.objects.stat(upload.bucket, upload.object_name)
    except ObjectNotFoundError:
        async with resources.database.transaction(upload.user_id) as session:
            return await uploads.forget_unstored(session, upload.upload_id)
    return False


async def _forget(resources: Resources, arriving: _Arriving) -> None:
    try:
        async with resources.database.transaction(arriving.user_id) as session:
            await uploads.forget_unstored(session, arriving.upload_id)
    except DatabaseUnavailableError:
        _log.warning("pending upload left behind", upload_id=arriving.upload_id)


async def _settle(resources: Resources, arriving: _Arriving, stored: StoredObject) -> Accepted:
    """Notes the generation. The object is in: a database that is away now changes nothing about that."""
    kind = arriving.sniffed.kind
    estimate: float | None = None
    try:
        async with resources.database.transaction(arriving.user_id) as session:
            state = await uploads.find_for_update(session, arriving.upload_id)
            if state is not None:
                await uploads.save(session, mark_stored(state, stored.generation))
            estimate = await figures.median_seconds(session, arriving.user_id, kind)
    except DatabaseUnavailableError:
        _log.warning("generation not noted", upload_id=arriving.upload_id)
    return Accepted(arriving.upload_id, round(USUAL_SECONDS[kind] if estimate is None else estimate, 1))
