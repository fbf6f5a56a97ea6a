"""Turns an upload's state and a wish into the event that runs it again, or into why that cannot be."""

from contracts.artifacts import Service
from contracts.events import UploadReprocessV1
from upload_gateway.uploads import STAGES, UploadState

RUNNABLE = (Service.MEDIA_PROCESSOR, Service.ANALYZER, Service.EMBEDDER)
"""Stages one can start from; what search does follows from the embedder."""


def latest_start(state: UploadState, wanted: Service) -> Service | None:
    """``wanted`` or the last stage before it whose input is known; None when none is."""
    position = min(STAGES.index(wanted) if wanted in STAGES else 0, len(RUNNABLE) - 1)
    for stage in reversed(RUNNABLE[: position + 1]):
        if has_input(state, stage):
            return stage
    return None


def has_input(state: UploadState, stage: Service) -> bool:
    """Whether the stage's input of the present generation has been heard."""
    heard = {
        Service.MEDIA_PROCESSOR: state.finalized,
        Service.ANALYZER: state.processed,
        Service.EMBEDDER: state.analyzed,
    }[stage]
    return heard is not None and heard.version[0] == state.generation


def reprocess_event(state: UploadState) -> UploadReprocessV1:
    """The announcement of a run just begun (``uploads.begin_run``); it carries the input of its first stage."""
    stage = state.from_stage
    assert stage is not None
    assert stage in RUNNABLE
    return UploadReprocessV1(
        upload=state.ref,
        from_stage=stage,
        finalized=state.finalized.data if state.finalized and stage is Service.MEDIA_PROCESSOR else None,
        processed=state.processed.data if state.processed and stage is Service.ANALYZER else None,
        analyzed=state.analyzed.data if state.analyzed and stage is Service.EMBEDDER else None,
    )
