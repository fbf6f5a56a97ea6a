"""analyzer understood a file: its summary, and where the text of its segments lies."""

from typing import ClassVar

from pydantic import Field

from contracts.artifacts import ArtifactRef, Degradation, Kind, Moderation, Service, UploadRef, Usage
from contracts.envelope import EventData


class MediaAnalyzedV1(EventData):
    """The file can be found by its text from here on."""

    publishers: ClassVar[tuple[Service, ...]] = (Service.ANALYZER,)

    upload: UploadRef
    filename: str = Field(min_length=1, max_length=1024)
    kind: Kind
    title: str = Field(max_length=500)
    summary: str = Field(max_length=4000)
    labels: tuple[str, ...] = Field(default=(), max_length=50)
    language: str | None = Field(default=None, max_length=35)
    analysis: ArtifactRef
    segment_count: int = Field(ge=0)
    moderation: Moderation = Moderation()
    usage: Usage = Usage()
    model_id: str
    prompt_version: str
    degradations: tuple[Degradation, ...] = Field(default=(), max_length=20)

    def subject(self) -> str:
        """The upload id."""
        return self.upload.upload_id
