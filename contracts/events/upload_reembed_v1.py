"""A file's text is to be embedded by another model as well, beside the vectors it has."""

from typing import ClassVar

from pydantic import Field

from contracts.artifacts import Service, UploadRef
from contracts.envelope import EventData
from contracts.events.media_analyzed_v1 import MediaAnalyzedV1


class UploadReembedV1(EventData):
    """Carries the analysis whose text is embedded; nothing else of the upload is touched or run again.

    Said by upload-gateway of files that are there, and by the embedder itself of files it has just embedded. Both say
    the same of the same file, so that its vectors are paid for once. ``round`` counts how often the model was dropped
    before: what was dropped is made anew.
    """

    publishers: ClassVar[tuple[Service, ...]] = (Service.UPLOAD_GATEWAY, Service.EMBEDDER)

    upload: UploadRef
    model_id: str = Field(min_length=1, max_length=200)
    analyzed: MediaAnalyzedV1
    round: int = Field(default=0, ge=0)

    def subject(self) -> str:
        """The upload id."""
        return self.upload.upload_id
