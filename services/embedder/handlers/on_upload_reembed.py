"""upload.reembed.v1 → the vectors of one more model, beside those that are there."""

from collections.abc import Sequence

from contracts.artifacts import Service
from contracts.events import UploadReembedV1
from embedder.stage import beside_version, embed
from embeddings.encoder import Encoder
from eventing.errors import Discard, Poison, Reject
from eventing.handlers import Outcome, Stage, StageInputs
from providers.outages import Outages


def stage(encoders: Sequence[Encoder]) -> Stage[UploadReembedV1]:
    """The stage as the runtime wants it. Whatever goes wrong here, the upload is and stays what it was."""
    by_model = {encoder.model_id: (encoder, Outages()) for encoder in encoders}

    async def handle(event: UploadReembedV1, inputs: StageInputs) -> Outcome:
        if event.model_id not in by_model:
            raise Discard(f"this embedder is not told of the model {event.model_id}")
        encoder, outages = by_model[event.model_id]
        try:
            return await embed(encoder, event.analyzed, event.upload, inputs, outages, beside=True)
        except Reject as refusal:
            # A rejection would call the file failed; an operator is to know of it, not its owner.
            raise Poison(str(refusal)) from refusal

    return Stage(Service.EMBEDDER, beside_version(), UploadReembedV1, lambda event: event.upload, handle)
