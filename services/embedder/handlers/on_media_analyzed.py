"""media.analyzed.v1 → the file's passages and vectors, and media.embedded.v1."""

from contracts.artifacts import Service
from contracts.events import MediaAnalyzedV1
from embedder.stage import embed, stage_version
from embeddings.encoder import Encoder
from eventing.handlers import Outcome, Stage, StageInputs


def stage(encoder: Encoder) -> Stage[MediaAnalyzedV1]:
    """The stage as the runtime wants it."""

    async def handle(event: MediaAnalyzedV1, inputs: StageInputs) -> Outcome:
        return await embed(encoder, event, event.upload, inputs)

    return Stage(Service.EMBEDDER, stage_version(encoder), MediaAnalyzedV1, lambda event: event.upload, handle)
