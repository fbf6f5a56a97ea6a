"""Why uploads failed and running them again: for everyone their own, for operators everyone's."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel, Field, StringConstraints

from contracts.artifacts import FailureCode, Kind, Service
from contracts.identifiers import UPLOAD_ID_PATTERN
from hosting.answers import Answer
from hosting.app import API_ROOT
from identity.principal import Caller, Principal
from upload_gateway.repair import selections
from upload_gateway.repair.selections import Cause
from upload_gateway.resources import Gateway, Resources
from upload_gateway.routes.admin_access import Operator
from upload_gateway.store.repair import Selection
from upload_gateway.view import Status

router = APIRouter(prefix=API_ROOT)

Runnable = Literal["media-processor", "analyzer", "embedder", "search"]


class FailuresShown(BaseModel):
    """Failed uploads with one cause, and what can be done."""

    code: str
    stage: str
    kind: str | None
    uploads: int
    users: int
    first: datetime
    latest: datetime
    example: str
    message: str
    advice: str
    retryable: bool


class ReprocessWish(BaseModel):
    """Which uploads to run again, from where, and from which place of the selection on.

    Without ``stage`` each starts where it failed; ``search`` only announces again what search should have.
    """

    kind: Kind | None = None
    code: FailureCode | None = None
    failed_stage: Service | None = None
    since: AwareDatetime | None = None
    status: Literal["failed", "all"] = "failed"
    stage: Runnable | None = None
    after: Annotated[str, StringConstraints(pattern=rf"{UPLOAD_ID_PATTERN}|^$")] = ""
    limit: int = Field(default=50, ge=1, le=100)
    dry_run: bool = False

    def wanted(self, user_id: str | None) -> Selection:
        """As the store asks."""
        return Selection(
            user_id=user_id,
            status=Status.FAILED if self.status == "failed" else None,
            kind=self.kind,
            code=self.code.value if self.code else None,
            stage=self.failed_stage,
            since=self.since,
        )

    @property
    def from_stage(self) -> Service | None:
        """Where to begin; of uploads that did not fail, at their beginning."""
        if self.stage is None:
            return None if self.status == "failed" else Service.MEDIA_PROCESSOR
        return Service(self.stage)


class ReprocessOutcome(BaseModel):
    """``matched`` uploads were left to do; go on with ``after`` = ``next`` after ``wait_s`` seconds until null."""

    matched: int
    started: Sequence[str]
    skipped: Mapping[str, str]
    next: str | None
    wait_s: int


@router.get("/failures", tags=["uploads"])
async def own_failures(
    caller: Caller, gateway: Gateway, kind: Kind | None = None, since: Annotated[AwareDatetime | None, Query()] = None
) -> Answer[list[FailuresShown]]:
    """The caller's failed uploads by code, stage and kind."""
    found = await selections.causes(gateway, Selection(user_id=caller.user_id, kind=kind, since=since))
    return Answer(data=[_shown(cause) for cause in found])


@router.get("/admin/failures", tags=["admin"])
async def all_failures(
    _caller: Operator,
    gateway: Gateway,
    kind: Kind | None = None,
    since: Annotated[AwareDatetime | None, Query()] = None,
) -> Answer[list[FailuresShown]]:
    """Everyone's failed uploads by code, stage and kind."""
    found = await selections.causes(gateway, Selection(kind=kind, since=since))
    return Answer(data=[_shown(cause) for cause in found])


@router.post("/reprocess", tags=["uploads"], status_code=202)
async def reprocess_own(wish: ReprocessWish, caller: Caller, gateway: Gateway) -> Answer[ReprocessOutcome]:
    """Runs the caller's uploads of a selection again, a batch per call."""
    return await _reprocess(wish, caller, gateway, wish.wanted(caller.user_id))


@router.post("/admin/reprocess", tags=["admin"], status_code=202)
async def reprocess_all(wish: ReprocessWish, caller: Operator, gateway: Gateway) -> Answer[ReprocessOutcome]:
    """Runs everyone's uploads of a selection again, a batch per call."""
    return await _reprocess(wish, caller, gateway, wish.wanted(None))


async def _reprocess(
    wish: ReprocessWish, caller: Principal, gateway: Resources, wanted: Selection
) -> Answer[ReprocessOutcome]:
    batch = await selections.reprocess(
        gateway,
        caller,
        wanted,
        wish.from_stage,
        after=wish.after,
        limit=wish.limit,
        per_minute=gateway.repair.reprocesses_per_minute,
        dry_run=wish.dry_run,
    )
    outcome = ReprocessOutcome(
        matched=batch.count or 0, started=batch.done, skipped=batch.skipped, next=batch.next, wait_s=batch.wait_s
    )
    return Answer(data=outcome)


def _shown(cause: Cause) -> FailuresShown:
    return FailuresShown(**vars(cause.group), advice=cause.advice, retryable=cause.retryable)
