"""A processed file becomes an artifact and one event within the contract's bounds, for the run that asked."""

from datetime import UTC, datetime

import pytest

from analyzer.backends.backend import ArtifactReader
from analyzer.handlers import on_media_processed, on_upload_reprocess
from analyzer.stage import stage_version
from contracts.artifacts import (
    Analysis,
    AnalyzedSegment,
    Degradation,
    Kind,
    Locator,
    Material,
    MaterialPicture,
    MediaProperties,
    Service,
    TextSource,
    UploadRef,
)
from contracts.events import MediaAnalyzedV1, MediaProcessedV1, UploadReprocessV1
from contracts.identifiers import new_upload_id
from eventing.errors import Discard, Poison
from eventing.handlers import NewArtifact, Outcome
from eventing.inputs import StoreInputs
from objectstore.testing import MemoryObjectStore

UPLOAD = UploadRef(
    upload_id=new_upload_id("alice", "photo.jpg"),
    user_id="alice",
    bucket="uploads",
    object_name="alice/x/photo.jpg",
    generation=7,
)


class EchoBackend:
    """Says what the pictures' bytes say."""

    model_id = "echo"
    prompt_version = "2"

    def __init__(self, **changes: object) -> None:
        self.changes = changes

    async def analyze(self, material: Material, read: ArtifactReader) -> Analysis:
        seen = [(await read(picture.image)).decode() for picture in material.pictures]
        analysis = Analysis(
            title=material.filename,
            summary="Seen.",
            segments=tuple(AnalyzedSegment(text=s, locator=Locator(), source=TextSource.OCR) for s in seen),
            model_id=self.model_id,
            prompt_version=self.prompt_version,
        )
        return analysis.model_copy(update=self.changes)


class Case:
    """A store with material in it, and the event that announces it."""

    def __init__(self) -> None:
        self.store = MemoryObjectStore()
        self.inputs = StoreInputs(self.store, "artifacts", "out/")

    async def _stored(self, artifact: NewArtifact) -> NewArtifact:
        await self.store.put("artifacts", artifact.ref.key, artifact.content, artifact.ref.media_type)
        return artifact

    async def processed(self) -> MediaProcessedV1:
        image = await self._stored(self.inputs.artifact("a.jpg", "image/jpeg", b"a red door"))
        picture = MaterialPicture(image=image.ref, locator=Locator(), width=9, height=9)
        material = Material(kind=Kind.IMAGE, filename="photo.jpg", properties=MediaProperties(), pictures=(picture,))
        artifact = await self._stored(self.inputs.model_artifact("material.json", material))
        return MediaProcessedV1(
            upload=UPLOAD,
            filename="photo.jpg",
            kind=Kind.IMAGE,
            media_type="image/jpeg",
            size_bytes=1,
            sha256="0" * 64,
            created_at=datetime(2026, 1, 1, tzinfo=UTC),
            properties=MediaProperties(),
            material=artifact.ref,
        )


@pytest.fixture
def case() -> Case:
    return Case()


def read(outcome: Outcome) -> tuple[MediaAnalyzedV1, Analysis]:
    [event], [artifact] = outcome.events, outcome.artifacts
    assert isinstance(event, MediaAnalyzedV1)
    assert isinstance(artifact.content, bytes)
    assert event.analysis == artifact.ref
    assert artifact.ref.key.endswith("/analysis.json")
    return event, Analysis.model_validate_json(artifact.content)


async def test_the_artifact_holds_the_segments_and_the_event_what_lists_need(case: Case) -> None:
    stage = on_media_processed.stage(EchoBackend())
    event, analysis = read(await stage.handle(await case.processed(), case.inputs))
    assert [segment.text for segment in analysis.segments] == ["a red door"]
    assert (event.upload, event.filename, event.kind, event.title) == (UPLOAD, "photo.jpg", Kind.IMAGE, "photo.jpg")
    assert (event.segment_count, event.model_id, event.prompt_version) == (1, "echo", "2")


async def test_what_a_model_overdoes_fits_the_event_all_the_same(case: Case) -> None:
    backend = EchoBackend(
        title="t" * 900,
        summary="s" * 9000,
        labels=tuple(map(str, range(90))),
        degradations=(Degradation(step="ocr", reason="x"),) * 30,
    )
    outcome = await on_media_processed.stage(backend).handle(await case.processed(), case.inputs)
    event, analysis = read(outcome)
    MediaAnalyzedV1.model_validate_json(event.model_dump_json())
    assert (len(event.title), len(event.summary), len(event.labels), len(event.degradations)) == (500, 4000, 50, 20)
    assert len(analysis.labels) == 90


async def test_a_reprocess_belongs_to_its_own_run(case: Case) -> None:
    again = UPLOAD.model_copy(update={"run": 3})
    wish = UploadReprocessV1(upload=again, from_stage=Service.ANALYZER, processed=await case.processed())
    stage = on_upload_reprocess.stage(EchoBackend())
    event, _ = read(await stage.handle(wish, case.inputs))
    assert event.upload == again == stage.upload_of(wish)


async def test_a_reprocess_for_another_stage_is_left_to_it(case: Case) -> None:
    analyzed, _ = read(await on_media_processed.stage(EchoBackend()).handle(await case.processed(), case.inputs))
    wish = UploadReprocessV1(upload=UPLOAD, from_stage=Service.EMBEDDER, analyzed=analyzed)
    with pytest.raises(Discard):
        await on_upload_reprocess.stage(EchoBackend()).handle(wish, case.inputs)


async def test_missing_material_is_poison(case: Case) -> None:
    event = await case.processed()
    gone = event.model_copy(update={"material": event.material.model_copy(update={"key": "nowhere"})})
    with pytest.raises(Poison):
        await on_media_processed.stage(EchoBackend()).handle(gone, case.inputs)


def test_another_model_or_prompt_is_another_stage_version() -> None:
    other = EchoBackend()
    other.prompt_version = "3"
    assert stage_version(other) != stage_version(EchoBackend())
    assert on_media_processed.stage(other).version == on_upload_reprocess.stage(other).version
