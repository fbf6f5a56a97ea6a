"""A message that could not be processed, as upload-gateway sees it: which subscription gave up, and why."""

from typing import ClassVar

from pydantic import Field

from contracts.artifacts import FailureCode, Service, UploadRef
from contracts.envelope import EventData


class DeadLetterV1(EventData):
    """Read from a message on the dead-letter topic: the original one plus attributes that say what became of it.

    ``upload`` is None where the original could not be understood well enough to tell whose it was.
    """

    publisher: ClassVar[Service | None] = None

    source_subscription: str
    stage: Service | None = None
    code: FailureCode
    reason: str
    attempts: int = Field(default=1, ge=1)
    upload: UploadRef | None = None

    def subject(self) -> str:
        """The upload id where it is known."""
        return self.upload.upload_id if self.upload else self.source_subscription
