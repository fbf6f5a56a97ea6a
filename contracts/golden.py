"""One golden event of each kind: what documentation shows, tests feed to handlers and every later version must read."""

from datetime import UTC, datetime

from contracts.artifacts import (
    ArtifactRef,
    Degradation,
    FailureCode,
    Kind,
    MediaProperties,
    Service,
    UploadRef,
    Usage,
)
from contracts.envelope import EventData
from contracts.events import (
    DeadLetterV1,
    MediaAnalyzedV1,
    MediaEmbeddedV1,
    MediaFailedV1,
    MediaIndexedV1,
    MediaProcessedV1,
    ObjectDeletedV1,
    ObjectFinalizedV1,
    UploadDeletedV1,
    UploadReembedV1,
    UploadReprocessV1,
    UserChangedV1,
)
from contracts.events.user_changed_v1 import ApiKeyHash, UserStatus

EXAMPLE_TIME = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
_NAME = "harbour at dawn.jpg"
_UPLOAD = UploadRef(
    upload_id="upl_mfrggzdfmztwq2lkmfrggzdfmz",
    user_id="local-user",
    bucket="mmsearch-uploads",
    object_name=f"local-user/upl_mfrggzdfmztwq2lkmfrggzdfmz/{_NAME}",
    generation=1795253400000001,
)
_SHA = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"


def _artifact(name: str, media_type: str, size: int) -> ArtifactRef:
    key = f"local-user/{_UPLOAD.upload_id}/{_UPLOAD.generation}/0/media-processor/1-0123456789abcdef/{_SHA[:16]}/{name}"
    return ArtifactRef(bucket="mmsearch-artifacts", key=key, sha256=_SHA, media_type=media_type, size_bytes=size)


_FINALIZED = ObjectFinalizedV1(
    upload=_UPLOAD,
    filename=_NAME,
    size_bytes=1_048_576,
    declared_media_type="image/jpeg",
    created_at=EXAMPLE_TIME,
    metadata={"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"},
)
_PROCESSED = MediaProcessedV1(
    upload=_UPLOAD,
    filename=_NAME,
    kind=Kind.IMAGE,
    media_type="image/jpeg",
    declared_media_type="image/jpeg",
    size_bytes=1_048_576,
    sha256=_SHA,
    created_at=EXAMPLE_TIME,
    properties=MediaProperties(width=4000, height=3000, camera="Fujifilm X-T5", taken_at=EXAMPLE_TIME),
    material=_artifact("material.json", "application/json", 812),
    thumbnail=_artifact("thumbnail.jpg", "image/jpeg", 18_204),
    degradations=(Degradation(step="gps", reason="the picture carries no position"),),
)
_ANALYZED = MediaAnalyzedV1(
    upload=_UPLOAD,
    filename=_NAME,
    kind=Kind.IMAGE,
    title="Harbour at dawn",
    summary="A 4000x3000 photo taken with a Fujifilm X-T5. The text in it reads: Berth 7.",
    labels=("image", "harbour"),
    language="en",
    analysis=_artifact("analysis.json", "application/json", 640),
    segment_count=1,
    usage=Usage(),
    model_id="local",
    prompt_version="1",
)

EXAMPLES: tuple[EventData, ...] = (
    _FINALIZED,
    ObjectDeletedV1(upload=_UPLOAD, overwritten_by_generation=1795253400000002),
    _PROCESSED,
    _ANALYZED,
    MediaEmbeddedV1(
        upload=_UPLOAD,
        filename=_NAME,
        kind=Kind.IMAGE,
        model_id="all-MiniLM-L6-v2",
        dimensions=384,
        passage_count=2,
        passages=_artifact("passages.json", "application/json", 420),
        vectors=_artifact("vectors.f32", "application/octet-stream", 3072),
    ),
    MediaIndexedV1(upload=_UPLOAD, model_id="all-MiniLM-L6-v2", passage_count=2),
    MediaFailedV1(
        upload=_UPLOAD,
        stage=Service.MEDIA_PROCESSOR,
        code=FailureCode.CORRUPT,
        message="The picture ends in the middle of its data.",
    ),
    UploadDeletedV1(upload=_UPLOAD, purge=False),
    UploadReprocessV1(upload=_UPLOAD.model_copy(update={"run": 1}), from_stage=Service.ANALYZER, processed=_PROCESSED),
    UploadReembedV1(upload=_UPLOAD, model_id="text-embedding-3-small@1536", analyzed=_ANALYZED),
    UserChangedV1(
        user_id="local-user",
        version=1,
        status=UserStatus.ACTIVE,
        tier="pro",
        operator=True,
        api_keys=(ApiKeyHash(key_id="key_1", sha256=_SHA),),
    ),
    DeadLetterV1(
        source_subscription="analyzer.media.processed.v1",
        stage=Service.ANALYZER,
        code=FailureCode.INTERNAL,
        reason="MemoryError: while reading page 3",
        attempts=5,
        upload=_UPLOAD,
        letter_id="5e0c6f6e-9d2a-5b4e-8a3f-3f2b8c1d7e90",
        source_topic="media.processed.v1",
    ),
)
