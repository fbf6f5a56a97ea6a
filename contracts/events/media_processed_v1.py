"""media-processor read a file: what it is, its thumbnail, and where the material for analysis lies."""

from datetime import datetime
from typing import ClassVar

from pydantic import Field

from contracts.artifacts import ArtifactRef, Degradation, Kind, MediaProperties, Service, UploadRef
from contracts.envelope import EventData


class MediaProcessedV1(EventData):
    """The file can be found by name and metadata from here on."""

    publishers: ClassVar[tuple[Service, ...]] = (Service.MEDIA_PROCESSOR,)

    upload: UploadRef
    filename: str = Field(min_length=1, max_length=1024)
    kind: Kind
    media_type: str = Field(description="told from the content")
    declared_media_type: str | None = Field(default=None, description="what the client said; never trusted")
    size_bytes: int = Field(ge=1)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    created_at: datetime
    properties: MediaProperties
    material: ArtifactRef
    thumbnail: ArtifactRef | None = None
    preview: ArtifactRef | None = None
    storyboard: ArtifactRef | None = Field(default=None, description="where the pictures of its places are listed")
    degradations: tuple[Degradation, ...] = Field(default=(), max_length=20)

    def subject(self) -> str:
        """The upload id."""
        return self.upload.upload_id
