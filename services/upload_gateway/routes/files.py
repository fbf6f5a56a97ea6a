"""What can be had of one file: metadata, and thumbnail, preview and original by signed URLs that live five minutes."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import RedirectResponse, Response
from pydantic import BaseModel

from contracts.artifacts import ArtifactRef
from hosting.answers import Answer, not_found, written
from hosting.app import API_ROOT
from identity.principal import Caller
from upload_gateway.resources import Gateway, Resources
from upload_gateway.routes.errors import Responses, refusals
from upload_gateway.routes.representations import FileMetadata, UploadIdPath, metadata
from upload_gateway.store import reading
from upload_gateway.store.reading import FoundUpload
from upload_gateway.storyboards import Place
from upload_gateway.view import Status

router = APIRouter(prefix=API_ROOT, tags=["file"])

SIGNED_FOR = timedelta(minutes=5)
_SHOWN_IN_PLACE = ("image/", "video/", "audio/", "application/pdf")
_REDIRECT = Responses(
    {302: {"description": "To a signed URL.", "headers": {"Location": {"schema": {"type": "string"}}}}}
) | refusals("not_found")


class SignedUrl(BaseModel):
    """Where the bytes can be had without credentials, for a while."""

    url: str
    media_type: str | None
    expires_at: datetime


@router.get("/file/{upload_id}/metadata", response_model=Answer[FileMetadata], responses=refusals("not_found"))
async def file_metadata(upload_id: UploadIdPath, caller: Caller, gateway: Gateway) -> Response:
    """Everything known of a file, with timings, cost and trace id."""
    found = await reading.find_whole(gateway.database, caller.user_id, upload_id)
    if found is None or found[0].status == Status.DELETED:
        raise not_found("upload")
    return written(Answer(data=metadata(*found)))


@router.get("/file/{upload_id}/thumbnail", response_model=Answer[SignedUrl], responses=_REDIRECT)
async def thumbnail(
    upload_id: UploadIdPath,
    caller: Caller,
    gateway: Gateway,
    redirect: bool = True,
    page: Annotated[int | None, Query(ge=1)] = None,
    start_s: Annotated[float | None, Query(ge=0, allow_inf_nan=False)] = None,
) -> object:
    """A small picture of the file; of its ``page``, or the scene shown at ``start_s``, where there is one."""
    row = await _visible(gateway, caller.user_id, upload_id)
    picture = await _of_place(gateway, row, Place(page, start_s)) or _artifact(row.thumbnail, "thumbnail")
    if gateway.thumbnails:
        return _answer(gateway.thumbnails.signed_url(picture.key, SIGNED_FOR), picture.media_type, redirect)
    return await _signed(gateway, picture, redirect)


@router.get("/file/{upload_id}/preview", response_model=Answer[SignedUrl], responses=_REDIRECT)
async def preview(upload_id: UploadIdPath, caller: Caller, gateway: Gateway, redirect: bool = True) -> object:
    """A short or small version that plays in browsers."""
    row = await _visible(gateway, caller.user_id, upload_id)
    return await _signed(gateway, _artifact(row.preview, "preview"), redirect)


@router.get("/file/{upload_id}/download", response_model=Answer[SignedUrl], responses=_REDIRECT)
async def download(
    upload_id: UploadIdPath, caller: Caller, gateway: Gateway, redirect: bool = True, inline: bool = False
) -> object:
    """The original under its own name; ``inline`` lets browsers show pictures, films, sound and PDF in place."""
    row = await _visible(gateway, caller.user_id, upload_id)
    if not row.generation:
        raise not_found("file yet")
    media_type = row.media_type or "application/octet-stream"
    in_place = inline and media_type.startswith(_SHOWN_IN_PLACE)
    url = await gateway.objects.signed_url(
        row.bucket,
        row.object_name,
        SIGNED_FOR,
        filename=None if in_place else row.filename,
        media_type=media_type if in_place else "application/octet-stream",
    )
    return _answer(url, media_type, redirect)


async def _visible(gateway: Resources, user_id: str, upload_id: str) -> FoundUpload:
    row = await reading.find(gateway.database, user_id, upload_id)
    if row is None or row.status == Status.DELETED:
        raise not_found("upload")
    return row


async def _of_place(gateway: Resources, row: FoundUpload, place: Place) -> ArtifactRef | None:
    return (
        await gateway.storyboards.picture(ArtifactRef.model_validate(row.storyboard), place) if row.storyboard else None
    )


def _artifact(kept: dict[str, Any] | None, what: str) -> ArtifactRef:
    if kept is None:
        raise not_found(what)
    return ArtifactRef.model_validate(kept)


async def _signed(gateway: Resources, artifact: ArtifactRef, redirect: bool) -> object:
    url = await gateway.objects.signed_url(artifact.bucket, artifact.key, SIGNED_FOR, media_type=artifact.media_type)
    return _answer(url, artifact.media_type, redirect)


def _answer(url: str, media_type: str, redirect: bool) -> Response | Answer[SignedUrl]:
    if redirect:
        return RedirectResponse(url, status_code=302, headers={"Cache-Control": "private, no-store"})
    return Answer(data=SignedUrl(url=url, media_type=media_type, expires_at=datetime.now(UTC) + SIGNED_FOR))
