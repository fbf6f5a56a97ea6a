"""``POST /admin/reconcile``: bucket against table, a stretch of names per call, reported or repaired."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, Field

from hosting.answers import Answer
from hosting.app import API_ROOT
from upload_gateway.repair.findings import Finding, Problem
from upload_gateway.repair.reconcile import Cursor, Phase, Reconciler
from upload_gateway.resources import Gateway
from upload_gateway.routes.admin_access import Operator

router = APIRouter(prefix=API_ROOT, tags=["admin"])


class Place(BaseModel):
    """Where to go on: what a call answered as ``next``."""

    phase: Phase = Phase.UPLOADS
    after: Annotated[str, Field(max_length=1024)] = ""


class ReconcileWish(BaseModel):
    """``fix`` publishes what is missing; without it differences are only told."""

    fix: bool = False
    cursor: Place = Place()


class FindingShown(BaseModel):
    """One difference; ``generation`` of the object, ``known_generation`` of the upload."""

    problem: Problem
    name: str
    upload_id: str | None
    generation: int | None
    known_generation: int | None


class StretchShown(BaseModel):
    """What one call found; go on with ``next`` until it is null."""

    phase: Phase
    examined: int
    findings: Sequence[FindingShown]
    announced: int
    next: Place | None


@router.post("/admin/reconcile")
async def reconcile(wish: ReconcileWish, caller: Operator, gateway: Gateway) -> Answer[StretchShown]:
    """Walks at most a thousand names."""
    reconciler = Reconciler(gateway, gateway.repair.artifacts_bucket, gateway.repair.settle)
    cursor = Cursor(wish.cursor.phase, wish.cursor.after)
    found = await reconciler.walk(caller.user_id, cursor, fix=wish.fix)
    following = Place(phase=found.next.phase, after=found.next.after) if found.next else None
    return Answer(
        data=StretchShown(
            phase=found.phase,
            examined=found.examined,
            findings=[_shown(finding) for finding in found.findings],
            announced=found.announced,
            next=following,
        )
    )


def _shown(finding: Finding) -> FindingShown:
    derived = finding.derived
    return FindingShown(
        problem=finding.problem,
        name=finding.name,
        upload_id=finding.upload_id,
        generation=finding.stored.generation if finding.stored else derived and derived.generation,
        known_generation=finding.state.generation if finding.state else None,
    )
