"""Shapes of the bytes kept in the artifacts bucket: references, material, analysis, passages, manifests.

Events carry facts and references to these; a stage reads what it needs and writes its own.
"""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

from contracts.identifiers import UploadId


class Contract(BaseModel):
    """Base of all that crosses a service boundary: immutable; unknown fields of later versions are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Service(StrEnum):
    """The five services; each owns one stage."""

    UPLOAD_GATEWAY = "upload-gateway"
    MEDIA_PROCESSOR = "media-processor"
    ANALYZER = "analyzer"
    EMBEDDER = "embedder"
    SEARCH = "search"


class Kind(StrEnum):
    """What a file is to a person; decides thumbnail, material and segments."""

    IMAGE = "image"
    VIDEO = "video"
    AUDIO = "audio"
    DOCUMENT = "document"


class FailureCode(StrEnum):
    """Stable reasons why an upload failed."""

    QUOTA_EXCEEDED = "quota_exceeded"
    FILE_SIZE = "file_size"
    UNSUPPORTED_FORMAT = "unsupported_format"
    NETWORK = "network"
    CORRUPT = "corrupt"
    ENCRYPTED = "encrypted"
    TIMEOUT = "timeout"
    RESOURCE_LIMIT = "resource_limit"
    PROVIDER_REFUSED = "provider_refused"
    PROVIDER_INVALID = "provider_invalid"
    UNKNOWN_OWNER = "unknown_owner"
    INTERNAL = "internal"


class UploadRef(Contract):
    """One version of one upload: which object generation, and which run of the pipeline over it."""

    upload_id: UploadId
    user_id: str = Field(min_length=1, max_length=64)
    bucket: str = Field(min_length=3, max_length=222)
    object_name: str = Field(min_length=1, max_length=1024)
    generation: int = Field(ge=1)
    run: int = Field(default=0, ge=0, description="0 for the first pass, the next number for each reprocess")

    @property
    def version(self) -> tuple[int, int]:
        """(generation, run): the later tuple wins, whatever order events arrive in."""
        return (self.generation, self.run)


class ArtifactRef(Contract):
    """A claim check: where an artifact lies and what its bytes must hash to."""

    bucket: str
    key: str
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    media_type: str
    size_bytes: int = Field(ge=0)


class Locator(Contract):
    """A place in a file: a page (from 1), a stretch of seconds, a named section, or nothing for the whole."""

    page: int | None = Field(default=None, ge=1)
    start_s: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    end_s: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    section: str | None = Field(default=None, max_length=300)

    @model_validator(mode="after")
    def _ends_after_start(self) -> "Locator":
        if self.end_s is not None and (self.start_s is None or self.end_s < self.start_s):
            raise ValueError("end_s needs a start_s that is not later")
        return self


class TextSource(StrEnum):
    """How a piece of text came to be."""

    TEXT = "text"
    OCR = "ocr"
    SPEECH = "speech"
    SUBTITLE = "subtitle"
    METADATA = "metadata"
    SUMMARY = "summary"


class MediaProperties(Contract):
    """Facts read from the file itself; every one optional, none trusted to be there.

    ``peaks`` are the loudness of a recording over its whole length, in even steps, 0 to 100 (its loudest).
    """

    width: int | None = None
    height: int | None = None
    duration_s: float | None = Field(default=None, allow_inf_nan=False)
    frame_rate: float | None = Field(default=None, allow_inf_nan=False)
    frame_count: int | None = None
    video_codec: str | None = None
    audio_codec: str | None = None
    bit_rate: int | None = None
    sample_rate: int | None = None
    channels: int | None = None
    peaks: tuple[Annotated[int, Field(ge=0, le=100)], ...] = Field(default=(), max_length=200)
    page_count: int | None = None
    title: str | None = Field(default=None, max_length=500)
    author: str | None = Field(default=None, max_length=500)
    language: str | None = Field(default=None, max_length=35)
    camera: str | None = Field(default=None, max_length=200)
    taken_at: datetime | None = None
    latitude: float | None = Field(default=None, ge=-90, le=90)
    longitude: float | None = Field(default=None, ge=-180, le=180)
    tags: dict[str, str] = Field(default_factory=dict, max_length=32)


class Degradation(Contract):
    """An optional step that failed: the result is poorer, the file is not rejected."""

    step: str
    reason: str = Field(max_length=500)


class MaterialText(Contract):
    """Text found in the file, in reading order, with its place."""

    text: str
    locator: Locator
    source: TextSource


class MaterialPicture(Contract):
    """A picture for the analyzer to look at: the image itself, a frame of a video, a page without text."""

    image: ArtifactRef
    locator: Locator
    width: int
    height: int


class StoryboardPicture(Contract):
    """A small picture, for people, of one place in a file."""

    image: ArtifactRef
    locator: Locator


class Storyboard(Contract):
    """A film's scenes or a document's pages as small pictures, in order; stored as ``storyboard.json``."""

    pictures: tuple[StoryboardPicture, ...]


class MaterialSound(Contract):
    """Sound for a speech backend: a chunk of at most 10 min of the recording, mono, 16 kHz (Ogg Opus).

    ``locator`` is the chunk's place in the file; ``stretches`` are where it is not silent, also in seconds of the file,
    in order, none longer than 30 s. Subtract ``locator.start_s`` to get seconds of the chunk.
    """

    audio: ArtifactRef
    locator: Locator
    stretches: tuple[Locator, ...]


class Material(Contract):
    """Everything media-processor found for analysis; stored as ``material.json``."""

    kind: Kind
    filename: str
    properties: MediaProperties
    texts: tuple[MaterialText, ...] = ()
    pictures: tuple[MaterialPicture, ...] = ()
    speech: tuple[MaterialSound, ...] = ()


class AnalyzedSegment(Contract):
    """A stretch of searchable text with its place, before it is cut into passages."""

    text: str
    locator: Locator
    source: TextSource


class Moderation(Contract):
    """Whether the file may be shown; categories name why not."""

    flagged: bool = False
    categories: tuple[str, ...] = ()


class Usage(Contract):
    """What an answer cost; all zero for local models."""

    input_tokens: int = Field(default=0, ge=0)
    output_tokens: int = Field(default=0, ge=0)
    cost_usd: float = Field(default=0.0, ge=0, allow_inf_nan=False)


class Analysis(Contract):
    """What the analyzer made of the material; stored as ``analysis.json``."""

    title: str
    summary: str
    labels: tuple[str, ...] = ()
    language: str | None = None
    segments: tuple[AnalyzedSegment, ...] = ()
    moderation: Moderation = Moderation()
    usage: Usage = Usage()
    model_id: str
    prompt_version: str
    degradations: tuple[Degradation, ...] = ()


class Cue(Contract):
    """A line of what is spoken: where in its passage's text it begins, in Unicode code points, and at which second."""

    at: int = Field(ge=0)
    start_s: float = Field(ge=0, allow_inf_nan=False)


class Passage(Contract):
    """The unit that is embedded, found and shown: about 200-300 tokens with its place.

    ``cues``: of a passage joined from several timed lines, each of them in order. ``overlap``: how many code points
    of its beginning the passage before ends with.
    """

    index: int = Field(ge=0)
    text: str
    locator: Locator
    source: TextSource
    cues: tuple[Cue, ...] = ()
    overlap: int = Field(default=0, ge=0)


class Passages(Contract):
    """All passages of one file in order; row i of the vectors artifact belongs to passage i. ``passages.json``."""

    passages: tuple[Passage, ...]


class StoredEvent(Contract):
    """An event as it will be announced: Pub/Sub attributes and the JSON data, byte for byte."""

    topic: str
    attributes: dict[str, str]
    data: str


class Manifest(Contract):
    """A stage's memory: what it produced from one input and what it announces, written once. ``manifest.json``."""

    stage: Service
    stage_version: str
    input_event_id: str
    created_at: datetime
    duration_s: Annotated[float, Field(ge=0)]
    artifacts: tuple[ArtifactRef, ...]
    events: tuple[StoredEvent, ...]
