"""embedder cut a file's text into passages and turned each into a vector."""

from typing import ClassVar

from pydantic import Field

from contracts.artifacts import ArtifactRef, Kind, Service, UploadRef, Usage
from contracts.envelope import EventData


class MediaEmbeddedV1(EventData):
    """Search can index the file by meaning.

    ``vectors`` holds ``passage_count * dimensions`` little-endian float32, row i for passage i of ``passages``.
    """

    publishers: ClassVar[tuple[Service, ...]] = (Service.EMBEDDER,)

    upload: UploadRef
    filename: str = Field(min_length=1, max_length=1024)
    kind: Kind
    model_id: str
    dimensions: int = Field(ge=1, le=4000)
    passage_count: int = Field(ge=0)
    passages: ArtifactRef
    vectors: ArtifactRef
    usage: Usage = Usage()
    beside: bool = Field(
        default=False,
        description="made by another model beside the one that answers: says nothing of how far the file has come",
    )

    def subject(self) -> str:
        """The upload id."""
        return self.upload.upload_id
