"""Turns the wish to run an upload again into the same work as for a finished object, under the next run number."""

from dataclasses import dataclass

from contracts.artifacts import Service
from contracts.events import UploadReprocessV1
from eventing.errors import Discard
from eventing.handlers import Outcome, Stage, StageInputs
from media_processor.handlers.on_object_finalized import STAGE_VERSION, ProcessObject


@dataclass(frozen=True)
class ReprocessUpload:
    """Runs ``process`` on the object the wish carries."""

    process: ProcessObject

    async def __call__(self, event: UploadReprocessV1, inputs: StageInputs, /) -> Outcome:
        """Raises what ``process`` raises, and ``Discard`` for a wish meant for another stage."""
        if event.from_stage is not Service.MEDIA_PROCESSOR or event.finalized is None:
            raise Discard(f"meant for {event.from_stage.value}: is the subscription's filter gone?")
        return await self.process(event.finalized.model_copy(update={"upload": event.upload}), inputs)


def stage(process: ProcessObject) -> Stage[UploadReprocessV1]:
    """media-processor's ear on reprocessing."""
    return Stage(
        Service.MEDIA_PROCESSOR, STAGE_VERSION, UploadReprocessV1, lambda event: event.upload, ReprocessUpload(process)
    )
