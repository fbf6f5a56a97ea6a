"""Cloud Storage finished writing an object in the uploads bucket: the pipeline starts here."""

from datetime import datetime
from typing import ClassVar

from pydantic import Field

from contracts.artifacts import Service, UploadRef
from contracts.envelope import EventData


class ObjectFinalizedV1(EventData):
    """Read from a Cloud Storage notification (``OBJECT_FINALIZE``, JSON_API_V1), not from a CloudEvent."""

    publishers: ClassVar[tuple[Service, ...]] = ()

    upload: UploadRef
    filename: str
    size_bytes: int = Field(ge=0)
    declared_media_type: str | None = None
    created_at: datetime
    metadata: dict[str, str] = Field(default_factory=dict, description="the object's custom metadata")

    def subject(self) -> str:
        """The upload id."""
        return self.upload.upload_id
