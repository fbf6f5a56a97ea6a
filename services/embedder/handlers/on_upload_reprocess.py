"""upload.reprocess.v1 from the embedder on → the vectors made again, under the next run's number."""

from contracts.artifacts import Service
from contracts.events import UploadReprocessV1
from embedder.stage import embed, stage_version
from embeddings.encoder import Encoder
from eventing.errors import Discard
from eventing.handlers import Outcome, Stage, StageInputs
from providers.outages import Outages


def stage(encoder: Encoder, following: Encoder | None = None) -> Stage[UploadReprocessV1]:
    """The stage as the runtime wants it."""
    outages = Outages()

    async def handle(event: UploadReprocessV1, inputs: StageInputs) -> Outcome:
        if event.from_stage is not Service.EMBEDDER or event.analyzed is None:
            raise Discard(f"meant for {event.from_stage.value}: is the subscription's filter gone?")
        return await embed(encoder, event.analyzed, event.upload, inputs, outages, following=following)

    return Stage(Service.EMBEDDER, stage_version(encoder), UploadReprocessV1, lambda event: event.upload, handle)
