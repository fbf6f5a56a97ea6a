"""media.analyzed.v1 → the file's passages and vectors, media.embedded.v1, and where there is a next model, its turn."""

from contracts.artifacts import Service
from contracts.events import MediaAnalyzedV1
from embedder.stage import embed, stage_version
from embeddings.encoder import Encoder
from eventing.handlers import Outcome, Stage, StageInputs
from providers.outages import Outages


def stage(encoder: Encoder, following: Encoder | None = None) -> Stage[MediaAnalyzedV1]:
    """The stage as the runtime wants it."""
    outages = Outages()

    async def handle(event: MediaAnalyzedV1, inputs: StageInputs) -> Outcome:
        return await embed(encoder, event, event.upload, inputs, outages, following=following)

    return Stage(Service.EMBEDDER, stage_version(encoder), MediaAnalyzedV1, lambda event: event.upload, handle)
