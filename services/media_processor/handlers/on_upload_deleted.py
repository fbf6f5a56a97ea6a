"""Turns a final deletion into what is to be removed: the original and everything derived from it, or that alone."""

from contracts.artifacts import Service
from contracts.events import UploadDeletedV1
from eventing.handlers import Outcome, Purge, Stage, StageInputs
from media_processor.handlers.on_object_finalized import STAGE_VERSION


async def purge_upload(event: UploadDeletedV1, _inputs: StageInputs) -> Outcome:
    """Nothing while the deletion can still be undone."""
    if not (event.purge or event.purge_derived):
        return Outcome()
    upload = event.upload
    derived = f"{upload.user_id}/{upload.upload_id}/{upload.generation}/"
    return Outcome(purge=Purge(derived, original=upload if event.purge else None))


def stage() -> Stage[UploadDeletedV1]:
    """media-processor's ear on deletions."""
    return Stage(Service.MEDIA_PROCESSOR, STAGE_VERSION, UploadDeletedV1, lambda event: event.upload, purge_upload)
