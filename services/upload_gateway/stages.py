"""Turns an upload's state into what each stage did to it: when it was done, how long it took, what it cost."""

from datetime import datetime
from itertools import pairwise
from typing import Any

from pydantic import BaseModel

from contracts.artifacts import Service, Usage
from upload_gateway.uploads import Heard, UploadState


class StageDone(BaseModel):
    """One stage's last result of the present object; ``seconds`` since the result before it, if both are of one run."""

    stage: Service
    run: int
    finished_at: datetime
    seconds: float | None
    model_id: str | None
    usage: Usage


def stages_of(state: UploadState) -> tuple[StageDone, ...]:
    """The stages that have finished, in their order."""
    steps: tuple[tuple[Service, Heard[Any] | None], ...] = (
        (Service.UPLOAD_GATEWAY, state.finalized),
        (Service.MEDIA_PROCESSOR, state.processed),
        (Service.ANALYZER, state.analyzed),
        (Service.EMBEDDER, state.embedded),
        (Service.SEARCH, state.indexed),
    )
    return tuple(
        StageDone(
            stage=stage,
            run=heard.version[1],
            finished_at=heard.time,
            seconds=_seconds(before, heard),
            model_id=getattr(heard.data, "model_id", None),
            usage=getattr(heard.data, "usage", Usage()),
        )
        for (_, before), (stage, heard) in pairwise(steps)
        if heard and heard.version[0] == state.generation
    )


def _seconds(before: Heard[Any] | None, after: Heard[Any]) -> float | None:
    if before is None or before.version != after.version:
        return None
    return round(max((after.time - before.time).total_seconds(), 0.0), 3)
