"""The events of one upload's walk through the pipeline, for the gateway's tests."""

from datetime import UTC, datetime
from typing import Any

from contracts.artifacts import ArtifactRef, Kind, MediaProperties, UploadRef, Usage
from contracts.events import (
    MediaAnalyzedV1,
    MediaEmbeddedV1,
    MediaIndexedV1,
    MediaProcessedV1,
    ObjectFinalizedV1,
)
from contracts.identifiers import ownership
from tests.integration.upload_gateway.conftest import BUCKET

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def dropped(name: str, generation: int = 5) -> UploadRef:
    """The upload that an object of this name is."""
    owner = ownership(BUCKET, name)
    return UploadRef(
        upload_id=owner.upload_id, user_id=owner.user_id, bucket=BUCKET, object_name=name, generation=generation
    )


def walk(upload: UploadRef) -> list[Any]:
    """Finalized, processed, analyzed, embedded, indexed."""
    filename = upload.object_name.rsplit("/", 1)[-1]
    thumbnail = artifact("thumbnail.jpg", "image/jpeg")
    return [
        ObjectFinalizedV1(upload=upload, filename=filename, size_bytes=1234, created_at=NOW),
        MediaProcessedV1(
            upload=upload, filename=filename, kind=Kind.IMAGE, media_type="image/jpeg", size_bytes=1234,
            sha256=f"{upload.generation:064x}", created_at=NOW, properties=MediaProperties(width=640, height=480),
            material=artifact("material.json", "application/json"), thumbnail=thumbnail,
        ),
        MediaAnalyzedV1(
            upload=upload, filename=filename, kind=Kind.IMAGE, title="Harbour at dawn", summary="Boats at rest.",
            labels=("boats",), analysis=artifact("analysis.json", "application/json"), segment_count=1, model_id="m",
            prompt_version="1", usage=Usage(input_tokens=7, cost_usd=0.25),
        ),
        MediaEmbeddedV1(
            upload=upload, filename=filename, kind=Kind.IMAGE, model_id="m", dimensions=3, passage_count=1,
            passages=artifact("passages.json", "application/json"), vectors=artifact("vectors", "application/x-f32"),
        ),
        MediaIndexedV1(upload=upload, model_id="m", passage_count=1),
    ]  # fmt: skip


def artifact(name: str, media_type: str) -> ArtifactRef:
    """A reference to an artifact nobody reads here."""
    return ArtifactRef(bucket="artifacts", key=f"a/{name}", sha256="0" * 64, media_type=media_type, size_bytes=2)
