"""Material to analyse: a picture whose bytes are its key, and words with places."""

import hashlib
from datetime import UTC, datetime

from contracts.artifacts import (
    ArtifactRef,
    Kind,
    Locator,
    Material,
    MaterialPicture,
    MaterialSound,
    MaterialText,
    MediaProperties,
    TextSource,
    UploadRef,
)
from contracts.events import MediaProcessedV1
from contracts.identifiers import new_upload_id

_UPLOAD_ID = new_upload_id("alice", "file.pdf")


def picture(key: str, size: int = 1, **place: object) -> MaterialPicture:
    digest = hashlib.sha256(key.encode()).hexdigest()
    ref = ArtifactRef(bucket="artifacts", key=key, sha256=digest, media_type="image/jpeg", size_bytes=size)
    return MaterialPicture(image=ref, locator=Locator.model_validate(place), width=9, height=9)


def words(content: str, **place: object) -> MaterialText:
    return MaterialText(text=content, locator=Locator.model_validate(place), source=TextSource.TEXT)


def document(*texts: MaterialText, pictures: tuple[MaterialPicture, ...] = (), name: str = "file.pdf") -> Material:
    return Material(kind=Kind.DOCUMENT, filename=name, properties=MediaProperties(), texts=texts, pictures=pictures)


async def read(wanted: ArtifactRef) -> bytes:
    return wanted.key.encode()


def processed(material: ArtifactRef) -> MediaProcessedV1:
    """The event that announces it, of alice's file."""
    upload = UploadRef(
        upload_id=_UPLOAD_ID,
        user_id="alice",
        bucket="uploads",
        object_name="alice/x/file.pdf",
        generation=7,
    )
    return MediaProcessedV1(
        upload=upload,
        filename="file.pdf",
        kind=Kind.DOCUMENT,
        media_type="application/pdf",
        size_bytes=1,
        sha256="0" * 64,
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
        properties=MediaProperties(),
        material=material,
    )


def sound(key: str, start_s: float, end_s: float, *stretches: tuple[float, float]) -> MaterialSound:
    ref = picture(key).image.model_copy(update={"media_type": "audio/ogg"})
    return MaterialSound(
        audio=ref,
        locator=Locator(start_s=start_s, end_s=end_s),
        stretches=tuple(Locator(start_s=start, end_s=end) for start, end in stretches),
    )
