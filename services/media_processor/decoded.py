"""What crosses the sandbox's wall: the job a child is given, and the report it leaves behind.

The child works for an untrusted file, so its report is validated like any other outside input.
"""

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from contracts.artifacts import Degradation, FailureCode, Kind, Locator, MaterialText, MediaProperties

REPORT_NAME = "report.json"
UNFINISHED_NAMES = "unfinished-*.json"
"""Numbered; the child removes all but the last two, of which the last may be half written."""

MAX_DEGRADATIONS = 20

FileName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,60}\.(jpg|png|mp4|ogg)$")]
"""A name the child may give a file in its output directory; never a path."""


class _Message(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class DecodeLimits(_Message):
    """Caps checked before or while decoding, so that a bomb is refused with a reason and not by a kill."""

    max_pixels: int = Field(default=200_000_000, description="width x height of a picture or a video frame")
    max_pages: int = Field(default=5_000, description="pages, slides, sheets or chapters of a document")
    max_unpacked_bytes: int = Field(default=512 * 1024 * 1024, description="sum of an archive's members")
    max_members: int = Field(default=10_000, description="members of an archive")
    max_text_chars: int = Field(default=20_000_000, description="text kept per file; the rest is dropped and said so")
    max_frames: int = Field(default=60, description="frames of a video for analysis, spread over its whole length")
    max_scans: int = Field(default=40, description="pages without text that are rendered for OCR")
    max_page_pictures: int = Field(default=200, description="pages of a document that get a small picture")


class Job(_Message):
    """One file to decode: paths only, nothing of the service's inside."""

    source: Path
    output: Path
    filename: str
    limits: DecodeLimits = DecodeLimits()


class DecodedFile(_Message):
    """A file the child wrote into its output directory."""

    name: FileName
    media_type: str


class DecodedPicture(_Message):
    """A picture for analysis the child wrote, with its place in the original."""

    name: FileName
    locator: Locator
    width: int = Field(gt=0)
    height: int = Field(gt=0)


class DecodedPlace(_Message):
    """A small picture of one place in the original, for people, that the child wrote."""

    name: FileName
    locator: Locator


class DecodedSound(_Message):
    """A chunk of sound for speech recognition the child wrote; see ``contracts.artifacts.MaterialSound``."""

    name: FileName
    locator: Locator
    stretches: tuple[Locator, ...] = Field(min_length=1, max_length=6_000)


class Decoded(_Message):
    """Everything read from one file; filled step by step."""

    model_config = ConfigDict(frozen=False)

    kind: Kind
    media_type: str
    properties: MediaProperties = MediaProperties()
    texts: tuple[MaterialText, ...] = ()
    pictures: tuple[DecodedPicture, ...] = ()
    storyboard: tuple[DecodedPlace, ...] = ()
    speech: tuple[DecodedSound, ...] = ()
    thumbnail: DecodedFile | None = None
    preview: DecodedFile | None = None
    degradations: tuple[Degradation, ...] = Field(default=(), max_length=MAX_DEGRADATIONS)


class Rejection(_Message):
    """Why the child refused the file; ``detail`` is for the log only."""

    code: FailureCode
    message: str = Field(max_length=1000)
    detail: str = ""


class Report(_Message):
    """What the child leaves in ``report.json``: exactly one of the two."""

    decoded: Decoded | None = None
    rejection: Rejection | None = None


class Unfinished(_Message):
    """What had been read when a step began; it stands if the child does not live to write its report."""

    step: str = Field(max_length=100)
    decoded: Decoded
