"""Turns an analysed file into passages and vectors: cuts the text, asks the encoder, names artifacts and event."""

import asyncio

from contracts.artifacts import Analysis, FailureCode, Passages, Service, UploadRef, Usage
from contracts.events import MediaAnalyzedV1, MediaEmbeddedV1, UploadReembedV1
from contracts.topology import subscription
from embedder.segments import ALGORITHM, MAX_PASSAGES, FileDescription, cut
from embeddings.encoder import Encoded, Encoder, EncoderAnswerInvalid, EncoderRefused, EncoderUnavailable
from eventing.errors import Reject, RetryLater
from eventing.handlers import Outcome, StageInputs
from providers.outages import Outages
from telemetry import spans

_STAGE = "1"
VECTORS_MEDIA_TYPE = "application/octet-stream"

TEXTS_UNDER_WAY = subscription(Service.EMBEDDER, MediaAnalyzedV1).concurrency * MAX_PASSAGES
"""Of the files worked on at a time at their longest: a delivery that runs out of time goes on where the one before it
ended only if nothing was forgotten. 40,000 vectors of the local model are 61 MB, of OpenAI's small one 246 MB."""


def stage_version(encoder: Encoder) -> str:
    """Changes with the model, the way text is cut, or this stage: then files are embedded anew."""
    return f"{_STAGE}-{ALGORITHM}-{encoder.model_id}"


def beside_version() -> str:
    """The same of the stage whose events name their model themselves."""
    return f"{_STAGE}-{ALGORITHM}-beside"


def asking_for(following: Encoder | None, analyzed: MediaAnalyzedV1, upload: UploadRef) -> list[UploadReembedV1]:
    """What the embedder asks of itself: the next model's vectors in a delivery of their own, which may take longer."""
    if following is None:
        return []
    return [UploadReembedV1(upload=upload, model_id=following.model_id, analyzed=analyzed)]


async def embed(
    encoder: Encoder,
    analyzed: MediaAnalyzedV1,
    upload: UploadRef,
    inputs: StageInputs,
    outages: Outages,
    *,
    following: Encoder | None = None,
    beside: bool = False,
) -> Outcome:
    """``upload`` is the run the result belongs to; ``analyzed`` may stem from an earlier one.

    ``outages`` are the encoder's. ``following`` is the next model, to be asked afterwards; ``beside`` says that this
    one is it.
    """
    passages = await _passages(analyzed, inputs)
    texts = [passage.text for passage in passages.passages]
    encoded = await _encoded(encoder, texts, outages, upload)
    passages_artifact = inputs.model_artifact("passages.json", passages)
    vectors_artifact = inputs.artifact("vectors.f32", VECTORS_MEDIA_TYPE, encoded.vectors.astype("<f4").tobytes())
    event = MediaEmbeddedV1(
        upload=upload,
        filename=analyzed.filename,
        kind=analyzed.kind,
        model_id=encoder.model_id,
        dimensions=encoder.dimensions,
        passage_count=len(texts),
        passages=passages_artifact.ref,
        vectors=vectors_artifact.ref,
        usage=Usage(input_tokens=int(encoded.tokens.sum()), cost_usd=float(encoded.cost_usd.sum())),
        beside=beside,
    )
    events = [event, *asking_for(following, analyzed, upload)]
    return Outcome(artifacts=[passages_artifact, vectors_artifact], events=events)


async def _passages(analyzed: MediaAnalyzedV1, inputs: StageInputs) -> Passages:
    analysis = await inputs.read_model(analyzed.analysis, Analysis)
    description = FileDescription(analyzed.filename, analysis.title, analysis.summary, analysis.labels)
    with spans.internal("cut passages"):
        return await asyncio.to_thread(cut, description, analysis.segments)


async def _encoded(encoder: Encoder, texts: list[str], outages: Outages, upload: UploadRef) -> Encoded:
    """The one place where an encoder's failure becomes a pause, an attempt or a refusal of the file."""
    told = {"mmsearch.passages": len(texts), "mmsearch.model": encoder.model_id}
    try:
        with outages.as_pauses(upload.upload_id), spans.internal("encode passages", **told):
            encoded = await encoder.encode(texts)
    except EncoderUnavailable as error:
        raise _later(error) from error
    except EncoderRefused as error:
        raise Reject(FailureCode.PROVIDER_REFUSED, "The embedding service refuses this file's text.") from error
    except EncoderAnswerInvalid as error:
        raise _invalid() from error
    if encoded.vectors.shape != (len(texts), encoder.dimensions):
        raise _invalid()
    return encoded


def _later(error: EncoderUnavailable) -> RetryLater:
    code = FailureCode.QUOTA_EXCEEDED if error.quota else FailureCode.NETWORK
    message = "The embedding service is out of quota." if error.quota else "The embedding service is not reachable."
    return RetryLater(code, message, delay_s=error.retry_after_s or 0)


def _invalid() -> Reject:
    return Reject(FailureCode.PROVIDER_INVALID, "The embedding service gave an unusable answer twice.", retryable=True)
