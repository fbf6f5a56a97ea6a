"""The owner deleted an upload: search forgets it, and on purge its bytes go."""

from typing import ClassVar

from pydantic import Field

from contracts.artifacts import Service, UploadRef
from contracts.envelope import EventData


class UploadDeletedV1(EventData):
    """Concerns every version up to ``upload.version``; a later generation of the same object is a new life."""

    publishers: ClassVar[tuple[Service, ...]] = (Service.UPLOAD_GATEWAY,)

    upload: UploadRef
    purge: bool = Field(default=False, description="true: original and artifacts are to be removed now")
    purge_derived: bool = Field(
        default=False,
        description="true: the artifacts of the generation are to be removed now; with purge false an original stays, "
        "and object_name may be no more than the beginning of its name",
    )

    def subject(self) -> str:
        """The upload id."""
        return self.upload.upload_id
