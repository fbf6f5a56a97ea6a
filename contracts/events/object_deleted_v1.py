"""Cloud Storage removed an object version from the uploads bucket."""

from typing import ClassVar

from contracts.artifacts import Service, UploadRef
from contracts.envelope import EventData


class ObjectDeletedV1(EventData):
    """Read from a Cloud Storage notification (``OBJECT_DELETE``); an overwrite deletes the older generation too."""

    publishers: ClassVar[tuple[Service, ...]] = ()

    upload: UploadRef
    overwritten_by_generation: int | None = None

    def subject(self) -> str:
        """The upload id."""
        return self.upload.upload_id
