"""Turns a failure code into what its owner can do about it."""

from collections.abc import Mapping
from dataclasses import dataclass

from contracts.artifacts import FailureCode


@dataclass(frozen=True)
class Advice:
    """One sentence for a person, and whether trying again unchanged can help."""

    text: str
    retryable: bool


ADVICE: Mapping[FailureCode, Advice] = {
    FailureCode.QUOTA_EXCEEDED: Advice("A provider's quota is used up. Try again later.", True),
    FailureCode.FILE_SIZE: Advice("The file is empty or larger than allowed. Check it and upload it again.", False),
    FailureCode.UNSUPPORTED_FORMAT: Advice("Convert it to a common format, such as JPEG, MP4, MP3 or PDF.", False),
    FailureCode.NETWORK: Advice("A connection failed on the way. Try again.", True),
    FailureCode.CORRUPT: Advice("Export it again and upload the new copy.", False),
    FailureCode.ENCRYPTED: Advice("Remove the password from the file and upload it again.", False),
    FailureCode.TIMEOUT: Advice("Reading the file took too long. Try again, or split it into parts.", True),
    FailureCode.RESOURCE_LIMIT: Advice("The file needs more memory than one file may take. Make it smaller.", False),
    FailureCode.PROVIDER_REFUSED: Advice("The analysis service would not work on this content.", False),
    FailureCode.PROVIDER_INVALID: Advice("The analysis service gave an unusable answer. Try again.", True),
    FailureCode.UNKNOWN_OWNER: Advice("Put the object under an existing user's prefix: {user_id}/…", False),
    FailureCode.INTERNAL: Advice("Something went wrong on our side. Try again; if it stays, tell the operator.", True),
}
