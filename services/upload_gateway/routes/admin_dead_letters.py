"""Dead letters for operators: list, look into, send again to the subscription they died on, let go."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field, StringConstraints

from contracts.artifacts import FailureCode
from hosting.answers import Answer, not_found
from hosting.app import API_ROOT
from upload_gateway.repair import dead_letters as redriving
from upload_gateway.resources import Gateway
from upload_gateway.routes.admin_access import Operator
from upload_gateway.routes.uploads import Limit, Offset, page_meta
from upload_gateway.store import dead_letters as letters
from upload_gateway.store.dead_letters import Cause, LetterFilter, LetterRow, LetterStatus

router = APIRouter(prefix=API_ROOT, tags=["admin"])

Name = Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=r"^[^\x00-\x1f]+$")]
OlderThan = Annotated[float, Field(ge=0, le=10 * 365 * 86400, allow_inf_nan=False)]


class LettersWish(BaseModel):
    """Which waiting letters: by id, or all that fit; ``limit`` at a time, in the order of their ids after ``after``."""

    ids: list[Name] = Field(default_factory=list, max_length=100)
    subscription: Name | None = None
    code: FailureCode | None = None
    older_than_s: OlderThan | None = None
    after: Annotated[str, StringConstraints(max_length=255, pattern=r"^[^\x00-\x1f]*$")] = ""
    limit: int = Field(default=100, ge=1, le=100)

    def wanted(self) -> LetterFilter:
        """As the store asks."""
        return _filter(self.subscription, self.code, self.older_than_s, LetterStatus.WAITING)


class LetterWhole(BaseModel):
    """A dead letter with its message; ``data`` is text, or base64 where it is none."""

    letter: LetterRow
    attributes: Mapping[str, str]
    data: str
    encoding: Literal["text", "base64"]


class RedriveOutcome(BaseModel):
    """``skipped`` says why by id; go on with ``after`` = ``next`` after ``wait_s`` seconds until null."""

    redriven: Sequence[str]
    skipped: Mapping[str, str]
    remaining: int
    next: str | None
    wait_s: int


class DiscardOutcome(BaseModel):
    """``skipped`` says why by id; go on with ``after`` = ``next`` until null."""

    discarded: Sequence[str]
    skipped: Mapping[str, str]
    remaining: int
    next: str | None


@router.get("/admin/dead-letters")
async def list_dead_letters(
    _caller: Operator,
    gateway: Gateway,
    limit: Limit = 20,
    offset: Offset = 0,
    subscription: Annotated[str | None, Query(max_length=255)] = None,
    code: FailureCode | None = None,
    older_than_s: Annotated[float | None, Query(ge=0, le=10 * 365 * 86400)] = None,
    status: LetterStatus | Literal["all"] = LetterStatus.WAITING,
) -> Answer[list[LetterRow]]:
    """Oldest first; ``meta.causes`` groups all of them by subscription and code."""
    wanted = _filter(subscription, code, older_than_s, None if status == "all" else status)
    async with gateway.database.transaction() as session:
        rows, total = await letters.page(session, wanted, limit, offset)
        causes = await letters.causes(session, wanted)
    meta: dict[str, Any] = {**page_meta(total, limit, offset, len(rows)), "causes": [_shown(cause) for cause in causes]}
    return Answer(data=list(rows), meta=meta)


@router.get("/admin/dead-letters/{letter_id}")
async def show_dead_letter(letter_id: Name, _caller: Operator, gateway: Gateway) -> Answer[LetterWhole]:
    """One letter whole."""
    async with gateway.database.transaction() as session:
        letter = await letters.find(session, letter_id)
    if letter is None:
        raise not_found("dead letter")
    summary = {name: value for name, value in vars(letter).items() if name not in ("attributes", "data")}
    try:
        data, encoding = letter.data.decode(), "text"
    except UnicodeDecodeError:
        data, encoding = base64.b64encode(letter.data).decode(), "base64"
    whole = {"letter": LetterRow(**summary), "attributes": letter.attributes, "data": data, "encoding": encoding}
    return Answer(data=LetterWhole.model_validate(whole))


@router.post("/admin/dead-letters/redrive")
async def redrive(wish: LettersWish, caller: Operator, gateway: Gateway) -> Answer[RedriveOutcome]:
    """Sends letters again to exactly the subscription that gave up on them, at the pace the settings allow."""
    done = await redriving.redrive(
        gateway,
        caller.user_id,
        wish.wanted(),
        wish.ids,
        after=wish.after,
        limit=wish.limit,
        per_minute=gateway.repair.redrives_per_minute,
    )
    outcome = RedriveOutcome(
        redriven=done.done, skipped=done.skipped, remaining=done.count or 0, next=done.next, wait_s=done.wait_s
    )
    return Answer(data=outcome)


@router.post("/admin/dead-letters/discard")
async def discard(wish: LettersWish, caller: Operator, gateway: Gateway) -> Answer[DiscardOutcome]:
    """Lets letters go; what their uploads are shown as does not change."""
    done = await redriving.discard(gateway, caller.user_id, wish.wanted(), wish.ids, after=wish.after, limit=wish.limit)
    return Answer(
        data=DiscardOutcome(discarded=done.done, skipped=done.skipped, remaining=done.count or 0, next=done.next)
    )


def _filter(
    subscription: str | None, code: FailureCode | None, older_than_s: float | None, status: LetterStatus | None
) -> LetterFilter:
    died_before = datetime.now(UTC) - timedelta(seconds=older_than_s) if older_than_s is not None else None
    return LetterFilter(subscription, code.value if code else None, died_before, status)


def _shown(cause: Cause) -> dict[str, Any]:
    return asdict(cause) | {"oldest": cause.oldest.isoformat()}
