"""Turns an upload request into an object in the bucket and a pending upload, or into a reason why not.

The row is written just before the object becomes visible: whoever hears of the object finds the row, and what was
refused, cut off or stored before leaves neither.
"""

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast

import structlog
from fastapi import Request
from pydantic import JsonValue
from sqlalchemy.exc import SQLAlchemyError

from contracts.artifacts import Kind
from contracts.identifiers import new_upload_id, object_name
from database.engine import DatabaseUnavailableError
from hosting.answers import ApiError
from identity.principal import Principal
from objectstore.store import ObjectExistsError, StoredObject, StoreUnavailableError, StreamDigest
from telemetry import spans
from telemetry.propagation import carrier, current_trace_id
from upload_gateway import claiming, filenames, sniff
from upload_gateway.idempotency import fingerprint_of
from upload_gateway.multipart import METADATA_FIELD, FileHeaders, MultipartUpload, boundary_of, too_large
from upload_gateway.resources import Resources
from upload_gateway.store import figures, uploads
from upload_gateway.uploads import Requested, UploadState, mark_stored

FORM_OVERHEAD_BYTES = 256 * 1024
"""What boundaries, headers and fields may add to the file in one request."""
USUAL_SECONDS: dict[Kind, float] = {Kind.IMAGE: 2, Kind.DOCUMENT: 5, Kind.AUDIO: 10, Kind.VIDEO: 20}
"""Until a user's own files say better."""
_OTHERS_SECONDS = 10.0

_log = structlog.get_logger()


@dataclass(frozen=True)
class Offer:
    """What a client sent, as far as it tells one request from another."""

    filename: str
    sha256: str
    metadata: dict[str, JsonValue]

    def fingerprint(self, *, allow_duplicate: bool) -> str:
        """The same for requests that want the same."""
        return fingerprint_of([self.filename, self.sha256, self.metadata, allow_duplicate])


@dataclass(frozen=True)
class Accepted:
    """An upload that is in the bucket."""

    upload_id: str
    estimated_seconds: float
    offer: Offer


@dataclass(frozen=True)
class _Arriving:
    """A file about to be stored."""

    owner: Principal
    upload_id: str
    object_name: str
    filename: str
    sniffed: sniff.Sniffed
    allow_duplicate: bool


async def take_in(resources: Resources, owner: Principal, request: Request, *, allow_duplicate: bool) -> Accepted:
    """Streams the request's file into the bucket. Raises ``ApiError`` (then nothing was created)."""
    body = _body(resources, request)
    try:
        await claiming.expect_room(resources, owner)
        headers, head = await body.open(sniff.ENOUGH_BYTES)
        arriving = _inspect(owner, headers, head, allow_duplicate)
        structlog.contextvars.bind_contextvars(upload_id=arriving.upload_id)
        spans.mark(upload_id=arriving.upload_id)
        stored, offer = await _store(resources, arriving, headers, body)
    except (ApiError, StoreUnavailableError, DatabaseUnavailableError):
        await body.drain()
        raise
    return await _settle(resources, arriving, stored, offer)


async def read_through(resources: Resources, request: Request) -> Offer:
    """What the request offers, without keeping any of it. Raises ``ApiError`` where :func:`take_in` would."""
    body = _body(resources, request)
    sha256 = hashlib.sha256()
    headers, _ = await body.open(1)
    async for chunk in body.chunks():
        sha256.update(chunk)
    return Offer(
        accepted_filename(headers.filename), sha256.hexdigest(), parse_metadata(body.fields.get(METADATA_FIELD))
    )


def _body(resources: Resources, request: Request) -> MultipartUpload:
    boundary = boundary_of(request.headers.get("content-type"))
    if _announced_bytes(request) > resources.max_file_bytes + FORM_OVERHEAD_BYTES:
        raise too_large(resources.max_file_bytes)
    return MultipartUpload(request.stream(), boundary, resources.max_file_bytes)


def accepted_filename(offered: str) -> str:
    """The name as it is kept; 422 when it cannot be."""
    try:
        return filenames.accept(offered)
    except filenames.BadFilenameError as error:
        raise ApiError(422, "filename", str(error)) from error


def unsupported(found: sniff.UnsupportedTypeError) -> ApiError:
    """415 that names what was found."""
    message = f"This kind of file is not supported: it looks like {found}."
    return ApiError(415, "unsupported_format", message, details={"found": str(found)})


def empty_file() -> ApiError:
    """422: nothing to keep."""
    return ApiError(422, "file_size", "The file is empty.")


def object_metadata(filename: str, declared_media_type: str | None) -> dict[str, str]:
    """The custom metadata of every object the gateway makes: the trace goes on from it."""
    metadata = {**carrier(), "filename": filename}
    if declared_media_type:
        metadata["declared-media-type"] = declared_media_type[:255]
    return metadata


def _announced_bytes(request: Request) -> int:
    announced = request.headers.get("content-length", "0")
    return int(announced) if announced.isdecimal() else 0


def _inspect(owner: Principal, headers: FileHeaders, head: bytes, allow_duplicate: bool) -> _Arriving:
    filename = accepted_filename(headers.filename)
    if not head:
        raise empty_file()
    try:
        sniffed = sniff.sniff(head)
    except sniff.UnsupportedTypeError as error:
        raise unsupported(error) from error
    stored_name = filenames.for_storage(filename)
    upload_id = new_upload_id(owner.user_id, stored_name)
    name = object_name(owner.user_id, upload_id, stored_name)
    return _Arriving(owner, upload_id, name, filename, sniffed, allow_duplicate)


async def _store(
    resources: Resources, arriving: _Arriving, headers: FileHeaders, body: MultipartUpload
) -> tuple[StoredObject, Offer]:
    """The object, with its row written just before."""
    bucket = resources.uploads_bucket
    offers: list[Offer] = []

    async def before_commit(digest: StreamDigest) -> None:
        offer = Offer(arriving.filename, digest.sha256, parse_metadata(body.fields.get(METADATA_FIELD)))
        offers.append(offer)
        await claiming.claim(resources, arriving.owner, _pending(bucket, arriving, digest, offer))

    metadata = object_metadata(arriving.filename, headers.media_type)
    try:
        with spans.internal("store object"):
            stored = await resources.objects.put_stream(
                bucket, arriving.object_name, body.chunks(), arriving.sniffed.media_type, metadata, before_commit
            )
    except ApiError:
        raise
    except ObjectExistsError:  # nobody else can know the name: our own write, its answer lost on the way
        stored = await resources.objects.stat(bucket, arriving.object_name)
    except Exception:
        await _forget(resources, arriving)
        raise
    return stored, offers[-1]


def _pending(bucket: str, arriving: _Arriving, digest: StreamDigest, offer: Offer) -> UploadState:
    now = datetime.now(UTC)
    return UploadState(
        upload_id=arriving.upload_id,
        user_id=arriving.owner.user_id,
        bucket=bucket,
        object_name=arriving.object_name,
        requested=Requested(
            filename=arriving.filename,
            kind=arriving.sniffed.kind,
            media_type=arriving.sniffed.media_type,
            size_bytes=digest.size_bytes,
            sha256=digest.sha256,
            metadata=offer.metadata,
            trace_id=current_trace_id(),
            created_at=now,
            expected_until=now + claiming.ABANDONED_AFTER,
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


async def _forget(resources: Resources, arriving: _Arriving) -> None:
    try:
        await claiming.forget_unstored(resources, arriving.owner.user_id, arriving.upload_id)
    except (DatabaseUnavailableError, SQLAlchemyError):
        resources.unstored.add(arriving.upload_id)
        _log.warning("pending upload left behind", upload_id=arriving.upload_id)


async def _settle(resources: Resources, arriving: _Arriving, stored: StoredObject, offer: Offer) -> Accepted:
    """Notes the generation. The object is in: a database that is away now changes nothing about that."""
    kind, user_id = arriving.sniffed.kind, arriving.owner.user_id
    estimate: float | None = None
    try:
        async with resources.database.transaction(user_id) as session:
            state = await uploads.find_for_update(session, arriving.upload_id)
            if state is not None:
                await uploads.save(session, mark_stored(state, stored.generation))
            estimate = await figures.median_seconds(session, user_id, kind)
    except DatabaseUnavailableError:
        _log.warning("generation not noted", upload_id=arriving.upload_id)
    usual = USUAL_SECONDS.get(kind, _OTHERS_SECONDS)
    return Accepted(arriving.upload_id, round(usual if estimate is None else estimate, 1), offer)
