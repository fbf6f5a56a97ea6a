"""A message that could not be processed, as upload-gateway sees it: which subscription gave up, and why."""

from typing import ClassVar

from pydantic import Field

from contracts.artifacts import Contract, FailureCode, Service, UploadRef
from contracts.envelope import EventData


class OriginalMessage(Contract):
    """The message as it was first published, whole, so that it can be sent again."""

    attributes: dict[str, str]
    data_base64: str


class DeadLetterV1(EventData):
    """Read from a message on the dead-letter topic: the original one plus attributes that say what became of it.

    ``upload`` is None where the original could not be understood well enough to tell whose it was.
    """

    publishers: ClassVar[tuple[Service, ...]] = ()

    source_subscription: str
    stage: Service | None = None
    code: FailureCode
    reason: str
    attempts: int = Field(default=1, ge=1)
    upload: UploadRef | None = None
    letter_id: str | None = Field(default=None, description="the same for every death of one event on one subscription")
    source_topic: str | None = None
    redrives: int = Field(default=0, ge=0, description="how often it had been sent again before it died this time")
    original: OriginalMessage | None = None

    def subject(self) -> str:
        """The upload id where it is known."""
        return self.upload.upload_id if self.upload else self.source_subscription
