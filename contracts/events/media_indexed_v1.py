"""search projected a file's vectors: it can be found by meaning."""

from typing import ClassVar

from pydantic import Field

from contracts.artifacts import Service, UploadRef
from contracts.envelope import EventData


class MediaIndexedV1(EventData):
    """The end of the pipeline for this version of the file."""

    publishers: ClassVar[tuple[Service, ...]] = (Service.SEARCH,)

    upload: UploadRef
    model_id: str
    passage_count: int = Field(ge=0)

    def subject(self) -> str:
        """The upload id."""
        return self.upload.upload_id
