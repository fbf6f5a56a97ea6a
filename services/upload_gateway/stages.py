"""Turns an upload's state into what each stage did to it: when it was done, how long it took, what it cost."""

from datetime import datetime
from itertools import pairwise

from pydantic import BaseModel, Field, JsonValue

from contracts.artifacts import Contract, Service, Usage


class StageDone(BaseModel):
    """One stage's last result of the present object; ``seconds`` since the result before it, if both are of one run."""

    stage: Service
    run: int
    finished_at: datetime
    seconds: float | None
    model_id: str | None
    usage: Usage


class _Version(Contract):
    generation: int
    run: int = 0


class _Result(Contract):
    upload: _Version
    model_id: str | None = None
    usage: Usage = Usage()


class _Heard(Contract):
    time: datetime
    data: _Result

    @property
    def version(self) -> tuple[int, int]:
        return (self.data.upload.generation, self.data.upload.run)


class _Requested(Contract):
    metadata: dict[str, JsonValue] = Field(default_factory=dict)


class History(Contract):
    """What an :class:`upload_gateway.uploads.UploadState` tells of its stages, and of who sent the file.

    To read it of a stored state costs a fifth of reading the state: what the stages found is left out.
    """

    generation: int = 0
    requested: _Requested = _Requested()
    finalized: _Heard | None = None
    processed: _Heard | None = None
    analyzed: _Heard | None = None
    embedded: _Heard | None = None
    indexed: _Heard | None = None


def stages_of(history: History) -> list[StageDone]:
    """The stages that have finished, in their order."""
    steps = (
        (Service.UPLOAD_GATEWAY, history.finalized),
        (Service.MEDIA_PROCESSOR, history.processed),
        (Service.ANALYZER, history.analyzed),
        (Service.EMBEDDER, history.embedded),
        (Service.SEARCH, history.indexed),
    )
    return [
        StageDone(
            stage=stage,
            run=heard.version[1],
            finished_at=heard.time,
            seconds=_seconds(before, heard),
            model_id=heard.data.model_id,
            usage=heard.data.usage,
        )
        for (_, before), (stage, heard) in pairwise(steps)
        if heard and heard.version[0] == history.generation
    ]


def _seconds(before: _Heard | None, after: _Heard) -> float | None:
    if before is None or before.version != after.version:
        return None
    return round(max((after.time - before.time).total_seconds(), 0.0), 3)
