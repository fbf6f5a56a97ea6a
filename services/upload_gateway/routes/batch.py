"""``POST /uploads/batch``: one wish, up to a hundred uploads, a result for each."""

from typing import Annotated, Any

from fastapi import APIRouter, Response
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from hosting.answers import Answer, ErrorBody
from hosting.app import API_ROOT
from identity.principal import Caller
from upload_gateway.batch import Action, ItemDone, carry_out
from upload_gateway.idempotency import IdempotencyKey, fingerprint_of, once
from upload_gateway.resources import Gateway
from upload_gateway.routes.errors import refusals
from upload_gateway.store.idempotency import KeyName

router = APIRouter(prefix=API_ROOT, tags=["uploads"])

_EXAMPLE: dict[str, Any] = {"action": "delete", "upload_ids": ["upl_uk5cx3qyiwvvtw2xxc4j22mrzg"]}


def _unique(ids: list[str]) -> list[str]:
    if len(set(ids)) != len(ids):
        raise ValueError("each id may stand here once")
    return ids


class BatchWish(BaseModel):
    """What to do, and to which uploads."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [_EXAMPLE]})

    action: Action
    upload_ids: Annotated[
        list[Annotated[str, StringConstraints(min_length=1, max_length=64)]],
        Field(min_length=1, max_length=100, json_schema_extra={"uniqueItems": True}),
        AfterValidator(_unique),
    ]


class BatchItem(BaseModel):
    """One upload's result; ``error`` is null when it succeeded."""

    upload_id: str
    ok: bool
    error: ErrorBody | None


class BatchResult(BaseModel):
    """Results in the order of the ids."""

    action: Action
    succeeded: int
    failed: int
    items: list[BatchItem]


@router.post("/uploads/batch", responses=refusals("in_progress", "invalid_request", "idempotency_mismatch"))
async def batch(
    wish: BatchWish, response: Response, caller: Caller, gateway: Gateway, idempotency_key: IdempotencyKey = None
) -> Answer[BatchResult]:
    """Deletes, retries or restores each upload on its own: 200 even when some, or all, could not be."""
    fingerprint = fingerprint_of(wish.model_dump(mode="json"))

    async def carry() -> tuple[BatchResult, str]:
        done = await carry_out(gateway, caller, wish.action, wish.upload_ids)
        return _shown(wish.action, done), fingerprint

    async def identify() -> str:
        return fingerprint

    name = KeyName(caller.user_id, "batch", idempotency_key) if idempotency_key else None
    outcome = await once(gateway, name, BatchResult, carry, identify)
    response.headers.update(outcome.headers)
    return Answer(data=outcome.data)


def _shown(action: Action, done: list[ItemDone]) -> BatchResult:
    items = [
        BatchItem(
            upload_id=item.upload_id,
            ok=item.error is None,
            error=item.error
            and ErrorBody(code=item.error.code, message=item.error.message, details=item.error.details),
        )
        for item in done
    ]
    failed = sum(not item.ok for item in items)
    return BatchResult(action=action, succeeded=len(items) - failed, failed=failed, items=items)
