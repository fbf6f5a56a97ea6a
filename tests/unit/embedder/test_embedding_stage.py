"""An analysis becomes passages, vectors and one event; an encoder's failures become what the runtime understands."""

from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
import pytest

from contracts.artifacts import (
    Analysis,
    AnalyzedSegment,
    ArtifactRef,
    FailureCode,
    Kind,
    Locator,
    Passages,
    Service,
    TextSource,
    UploadRef,
)
from contracts.events import MediaAnalyzedV1, MediaEmbeddedV1, MediaProcessedV1, UploadReembedV1, UploadReprocessV1
from contracts.identifiers import new_upload_id
from embedder.handlers import on_media_analyzed, on_upload_reembed, on_upload_reprocess
from embedder.stage import stage_version
from embeddings.encoder import Encoded, EncoderAnswerInvalid, EncoderRefused, EncoderUnavailable
from embeddings.testing import FakeEncoder
from eventing.errors import Discard, Poison, Reject, RetryLater
from eventing.handlers import Outcome, hash_inputs
from eventing.inputs import StoreInputs
from objectstore.testing import MemoryObjectStore
from providers.errors import ProviderPausedError

UPLOAD = UploadRef(
    upload_id=new_upload_id("alice", "report.pdf"),
    user_id="alice",
    bucket="uploads",
    object_name="alice/x/report.pdf",
    generation=7,
)

ANALYSIS = Analysis(
    title="Annual report",
    summary="Revenue grew.",
    labels=("document",),
    segments=(
        AnalyzedSegment(text="Revenue grew by a tenth.", locator=Locator(page=1), source=TextSource.TEXT),
        AnalyzedSegment(text="Costs fell.", locator=Locator(page=2), source=TextSource.OCR),
    ),
    model_id="local",
    prompt_version="1",
)


class Case:
    """A store with an analysis in it, and the event that announces it."""

    def __init__(self) -> None:
        self.store = MemoryObjectStore()
        self.inputs = StoreInputs(self.store, "artifacts", "out/")

    async def analyzed(self, analysis: Analysis = ANALYSIS) -> MediaAnalyzedV1:
        artifact = self.inputs.model_artifact("analysis.json", analysis)
        await self.store.put("artifacts", artifact.ref.key, artifact.content, artifact.ref.media_type)
        return MediaAnalyzedV1(
            upload=UPLOAD,
            filename="report.pdf",
            kind=Kind.DOCUMENT,
            title=analysis.title,
            summary=analysis.summary,
            analysis=artifact.ref,
            segment_count=len(analysis.segments),
            model_id="local",
            prompt_version="1",
        )


@pytest.fixture
def case() -> Case:
    return Case()


def read(outcome: Outcome) -> tuple[MediaEmbeddedV1, Passages, np.ndarray]:
    [event] = outcome.events
    assert isinstance(event, MediaEmbeddedV1)
    contents = {artifact.ref: artifact.content for artifact in outcome.artifacts}
    passages, vectors = contents[event.passages], contents[event.vectors]
    assert isinstance(passages, bytes)
    assert isinstance(vectors, bytes)
    rows = np.frombuffer(vectors, "<f4").reshape(event.passage_count, event.dimensions)
    return event, Passages.model_validate_json(passages), rows


async def test_row_i_is_the_vector_of_passage_i(case: Case) -> None:
    encoder = FakeEncoder()
    event, passages, rows = read(await on_media_analyzed.stage(encoder).handle(await case.analyzed(), case.inputs))
    assert [p.locator.page for p in passages.passages] == [None, 1, 2]
    assert np.array_equal(rows, await encoder.encode_documents([p.text for p in passages.passages]))
    assert (event.upload, event.filename, event.kind) == (UPLOAD, "report.pdf", Kind.DOCUMENT)
    assert (event.model_id, event.dimensions, event.passage_count) == ("fake-64", 64, 3)


async def test_what_was_paid_for_a_file_is_told(case: Case) -> None:
    class Paid(FakeEncoder):
        async def encode(self, texts: Sequence[str]) -> Encoded:
            free = await super().encode(texts)
            return Encoded(free.vectors, np.array([7, 0, 5]), np.array([0.07, 0.0, 0.05]))

    event, _, _ = read(await on_media_analyzed.stage(Paid()).handle(await case.analyzed(), case.inputs))
    assert (event.usage.input_tokens, event.usage.output_tokens) == (12, 0)
    assert event.usage.cost_usd == pytest.approx(0.12)


async def test_artifacts_have_the_names_that_search_reads(case: Case) -> None:
    outcome = await on_media_analyzed.stage(FakeEncoder()).handle(await case.analyzed(), case.inputs)
    assert [artifact.ref.key.rpartition("/")[2] for artifact in outcome.artifacts] == ["passages.json", "vectors.f32"]


async def test_a_file_without_text_is_found_by_what_it_is(case: Case) -> None:
    silent = ANALYSIS.model_copy(update={"segments": ()})
    event, passages, _ = read(
        await on_media_analyzed.stage(FakeEncoder()).handle(await case.analyzed(silent), case.inputs)
    )
    assert event.passage_count == 1
    assert "Annual report" in passages.passages[0].text


async def test_a_reprocess_belongs_to_its_own_run(case: Case) -> None:
    again = UPLOAD.model_copy(update={"run": 3})
    event = UploadReprocessV1(upload=again, from_stage=Service.EMBEDDER, analyzed=await case.analyzed())
    stage = on_upload_reprocess.stage(FakeEncoder())
    embedded, _, _ = read(await stage.handle(event, case.inputs))
    assert embedded.upload == again
    assert stage.upload_of(event) == again


async def test_a_reprocess_for_another_stage_is_left_to_it(case: Case) -> None:
    reference = ArtifactRef(bucket="b", key="k", sha256="0" * 64, media_type="x/y", size_bytes=1)
    processed = MediaProcessedV1.model_validate(
        {
            "upload": UPLOAD,
            "filename": "report.pdf",
            "kind": Kind.DOCUMENT,
            "media_type": "application/pdf",
            "size_bytes": 1,
            "sha256": "0" * 64,
            "created_at": datetime(2026, 1, 1, tzinfo=UTC),
            "properties": {},
            "material": reference,
        }
    )
    event = UploadReprocessV1(upload=UPLOAD, from_stage=Service.ANALYZER, processed=processed)
    with pytest.raises(Discard):
        await on_upload_reprocess.stage(FakeEncoder()).handle(event, case.inputs)


async def test_a_missing_analysis_is_poison(case: Case) -> None:
    event = await case.analyzed()
    other = event.analysis.model_copy(update={"key": "nowhere"})
    with pytest.raises(Poison):
        await on_media_analyzed.stage(FakeEncoder()).handle(event.model_copy(update={"analysis": other}), case.inputs)


@pytest.mark.parametrize(
    ("failure", "code", "delay_s"),
    [
        (EncoderUnavailable("x", retry_after_s=17, quota=True), FailureCode.QUOTA_EXCEEDED, 17),
        (EncoderUnavailable("x", retry_after_s=5000), FailureCode.NETWORK, 600),
        (EncoderUnavailable("x"), FailureCode.NETWORK, 0),
    ],
)
async def test_trouble_that_passes_is_tried_again(
    case: Case, failure: EncoderUnavailable, code: FailureCode, delay_s: float
) -> None:
    encoder = FakeEncoder()
    encoder.failure = failure
    with pytest.raises(RetryLater) as caught:
        await on_media_analyzed.stage(encoder).handle(await case.analyzed(), case.inputs)
    assert (caught.value.code, caught.value.delay_s) == (code, delay_s)


async def test_what_opened_the_circuit_is_waited_out(case: Case) -> None:
    encoder = FakeEncoder()
    encoder.failure = EncoderUnavailable("x")
    encoder.failure.pause_s = 60
    event = await case.analyzed()
    with pytest.raises(ProviderPausedError) as caught:
        await on_media_analyzed.stage(encoder).handle(event, case.inputs)
    assert caught.value.pause_s == 60
    beside = UploadReembedV1(upload=UPLOAD, model_id=encoder.model_id, analyzed=event)
    with pytest.raises(ProviderPausedError):
        await on_upload_reembed.stage([encoder]).handle(beside, case.inputs)


@pytest.mark.parametrize(
    ("failure", "code"),
    [
        (EncoderRefused("x"), FailureCode.PROVIDER_REFUSED),
        (EncoderAnswerInvalid("x"), FailureCode.PROVIDER_INVALID),
    ],
)
async def test_trouble_that_stays_rejects_the_file(
    case: Case, failure: EncoderRefused | EncoderAnswerInvalid, code: FailureCode
) -> None:
    encoder = FakeEncoder()
    encoder.failure = failure
    with pytest.raises(Reject) as caught:
        await on_media_analyzed.stage(encoder).handle(await case.analyzed(), case.inputs)
    assert caught.value.code is code


async def test_a_pause_is_left_to_the_runtime_which_waits_with_the_message(case: Case) -> None:
    class Paused(FakeEncoder):
        async def encode(self, texts: Sequence[str]) -> Encoded:
            raise ProviderPausedError("budget", 60)

    with pytest.raises(ConnectionError):
        await on_media_analyzed.stage(Paused()).handle(await case.analyzed(), case.inputs)


async def test_vectors_of_the_wrong_shape_are_never_stored(case: Case) -> None:
    class Short(FakeEncoder):
        async def encode(self, texts: Sequence[str]) -> Encoded:
            return (await super().encode(texts)).of(range(len(texts) - 1))

    with pytest.raises(Reject) as caught:
        await on_media_analyzed.stage(Short()).handle(await case.analyzed(), case.inputs)
    assert caught.value.code is FailureCode.PROVIDER_INVALID


def test_another_model_is_another_stage_version() -> None:
    assert stage_version(FakeEncoder(8)) != stage_version(FakeEncoder(16))
    assert on_media_analyzed.stage(FakeEncoder()).version == on_upload_reprocess.stage(FakeEncoder()).version


async def test_the_next_model_is_asked_in_a_delivery_of_its_own(case: Case) -> None:
    """So that its outages, quotas and refusals never hold up or fail what the current model does."""
    current, following = FakeEncoder(8), FakeEncoder(16)
    following.failure = EncoderUnavailable("down")
    outcome = await on_media_analyzed.stage(current, following).handle(await case.analyzed(), case.inputs)
    embedded, asked = outcome.events
    assert isinstance(embedded, MediaEmbeddedV1)
    assert isinstance(asked, UploadReembedV1)
    assert (embedded.model_id, embedded.beside, asked.model_id) == ("fake-8", False, "fake-16")
    assert following.encoded == []


async def test_what_the_embedder_asks_itself_is_what_the_gateway_would_ask(case: Case) -> None:
    """The same input finds the same manifest: a file embedded at its upload is not paid for again."""
    analyzed = await case.analyzed()
    outcome = await on_media_analyzed.stage(FakeEncoder(8), FakeEncoder(16)).handle(analyzed, case.inputs)
    heard = MediaAnalyzedV1.model_validate_json(analyzed.model_dump_json())
    from_gateway = UploadReembedV1(upload=UPLOAD, model_id="fake-16", analyzed=heard)
    assert hash_inputs(outcome.events[1]) == hash_inputs(from_gateway)
    assert hash_inputs(from_gateway) != hash_inputs(from_gateway.model_copy(update={"round": 1}))


async def test_a_reembed_makes_only_the_model_it_names(case: Case) -> None:
    current, following = FakeEncoder(8), FakeEncoder(16)
    event = UploadReembedV1(upload=UPLOAD, model_id="fake-16", analyzed=await case.analyzed())
    stage = on_upload_reembed.stage([current, following])
    embedded, passages, rows = read(await stage.handle(event, case.inputs))
    assert (embedded.model_id, embedded.dimensions, embedded.beside) == ("fake-16", 16, True)
    assert np.array_equal(rows, await following.encode_documents([p.text for p in passages.passages]))
    assert current.encoded == []
    assert stage.upload_of(event) == UPLOAD


async def test_a_refusal_of_the_next_model_is_no_failure_of_the_file(case: Case) -> None:
    following = FakeEncoder(16)
    following.failure = EncoderRefused("x")
    event = UploadReembedV1(upload=UPLOAD, model_id="fake-16", analyzed=await case.analyzed())
    with pytest.raises(Poison):
        await on_upload_reembed.stage([following]).handle(event, case.inputs)


async def test_a_model_nobody_configured_is_let_go(case: Case) -> None:
    event = UploadReembedV1(upload=UPLOAD, model_id="gone@1", analyzed=await case.analyzed())
    with pytest.raises(Discard):
        await on_upload_reembed.stage([FakeEncoder(8)]).handle(event, case.inputs)
