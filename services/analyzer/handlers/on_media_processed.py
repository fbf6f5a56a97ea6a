"""media.processed.v1 → the file's analysis and media.analyzed.v1."""

from analyzer.backends.backend import Backend
from analyzer.stage import analyze, stage_version
from contracts.artifacts import Service
from contracts.events import MediaProcessedV1
from eventing.handlers import Outcome, Stage, StageInputs


def stage(backend: Backend) -> Stage[MediaProcessedV1]:
    """The stage as the runtime wants it."""

    async def handle(event: MediaProcessedV1, inputs: StageInputs) -> Outcome:
        return await analyze(backend, event, event.upload, inputs)

    return Stage(Service.ANALYZER, stage_version(backend), MediaProcessedV1, lambda event: event.upload, handle)
