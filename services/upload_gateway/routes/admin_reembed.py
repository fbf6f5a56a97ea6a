"""``POST /admin/reembed``: everyone's files, in batches, to be embedded by another model beside the answering one."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, Field, StringConstraints

from contracts.identifiers import UPLOAD_ID_PATTERN
from hosting.answers import Answer
from hosting.app import API_ROOT
from upload_gateway import reembedding
from upload_gateway.resources import Gateway
from upload_gateway.routes.admin_access import Operator

router = APIRouter(prefix=API_ROOT, tags=["admin"])

ModelId = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[\x21-\x7e]+$")]


class ReembedWish(BaseModel):
    """Which model, and from which place on. ``round`` is what search answered when the model was admitted."""

    model_id: ModelId
    round: int = Field(default=0, ge=0, le=1_000_000)
    after: Annotated[str, StringConstraints(pattern=rf"{UPLOAD_ID_PATTERN}|^$")] = ""
    limit: int = Field(default=200, ge=1, le=500)
    dry_run: bool = False


class ReembedOutcome(BaseModel):
    """``announced`` files were handed to the embedder; go on with ``after`` = ``next`` after ``wait_s`` seconds until
    ``next`` is null. A dry run tells only ``matched``.
    """

    announced: int
    matched: int | None
    next: str | None
    wait_s: int


@router.post("/admin/reembed", status_code=202)
async def reembed(wish: ReembedWish, caller: Operator, gateway: Gateway) -> Answer[ReembedOutcome]:
    """The embedder works through them at its own pace; ``GET /search/models`` shows how far it is."""
    if wish.dry_run:
        batch = await reembedding.count(gateway, wish.after)
    else:
        batch = await reembedding.reembed(
            gateway,
            caller.user_id,
            wish.model_id,
            wish.round,
            after=wish.after,
            limit=wish.limit,
            per_minute=gateway.repair.reembeds_per_minute,
        )
    outcome = ReembedOutcome(announced=len(batch.done), matched=batch.count, next=batch.next, wait_s=batch.wait_s)
    return Answer(data=outcome)
