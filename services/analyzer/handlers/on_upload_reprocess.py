"""upload.reprocess.v1 from the analyzer on → the analysis made again, under the next run's number."""

from analyzer.backends.backend import Backend
from analyzer.stage import analyze, stage_version
from contracts.artifacts import Service
from contracts.events import UploadReprocessV1
from eventing.errors import Discard
from eventing.handlers import Outcome, Stage, StageInputs


def stage(backend: Backend) -> Stage[UploadReprocessV1]:
    """The stage as the runtime wants it."""

    async def handle(event: UploadReprocessV1, inputs: StageInputs) -> Outcome:
        if event.from_stage is not Service.ANALYZER or event.processed is None:
            raise Discard(f"meant for {event.from_stage.value}: is the subscription's filter gone?")
        return await analyze(backend, event.processed, event.upload, inputs)

    return Stage(Service.ANALYZER, stage_version(backend), UploadReprocessV1, lambda event: event.upload, handle)
