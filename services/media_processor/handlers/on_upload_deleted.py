"""Turns a final deletion into the names of what is to be removed: the original and everything derived from it."""

from dataclasses import dataclass

from contracts.artifacts import Service
from contracts.events import UploadDeletedV1
from eventing.handlers import Outcome, Purge, Stage, StageInputs
from media_processor.handlers.on_object_finalized import STAGE_VERSION


@dataclass(frozen=True)
class PurgeUpload:
    """Knows where derived files lie."""

    artifacts_bucket: str

    async def __call__(self, event: UploadDeletedV1, _inputs: StageInputs, /) -> Outcome:
        """Nothing while the deletion can still be undone."""
        if not event.purge:
            return Outcome()
        upload = event.upload
        derived = f"{upload.user_id}/{upload.upload_id}/{upload.generation}/"
        original = Purge(upload.bucket, upload.object_name, upload.generation)
        return Outcome(purge=[original, Purge(self.artifacts_bucket, derived)])


def stage(purge: PurgeUpload) -> Stage[UploadDeletedV1]:
    """media-processor's ear on deletions."""
    return Stage(Service.MEDIA_PROCESSOR, STAGE_VERSION, UploadDeletedV1, lambda event: event.upload, purge)
