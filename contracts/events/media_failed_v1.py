"""A stage gave up on a file for good, and says why in words a person can use."""

from typing import ClassVar

from pydantic import Field

from contracts.artifacts import FailureCode, Service, UploadRef, Usage
from contracts.envelope import EventData


class MediaFailedV1(EventData):
    """Published by whichever stage failed; ``stage`` says which, ``usage`` what its answers cost all the same."""

    publishers: ClassVar[tuple[Service, ...]] = ()

    upload: UploadRef
    stage: Service
    code: FailureCode
    message: str = Field(max_length=1000)
    retryable: bool = False
    attempts: int = Field(default=1, ge=1)
    usage: Usage = Usage()

    def subject(self) -> str:
        """The upload id."""
        return self.upload.upload_id
