"""Turns a repeated request with the same Idempotency-Key into the answer of the first, which was carried out once.

Only successes are kept: a refused or failed request did nothing and may be tried again under its key.
"""

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Generic, TypeVar
from uuid import UUID, uuid4

import structlog
from fastapi import Header
from pydantic import BaseModel

from database.engine import DatabaseUnavailableError
from hosting.answers import ApiError
from upload_gateway.resources import Resources
from upload_gateway.store import idempotency
from upload_gateway.store.idempotency import KeyName, KeyRow

ModelT = TypeVar("ModelT", bound=BaseModel)

KEPT_FOR = timedelta(hours=24)
UNANSWERED_FOR = timedelta(minutes=15)
"""A request that has not been answered for so long died with its process; its key is free again."""
REPLAYED = "Idempotent-Replay"

IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=255,
        pattern=r"^[\x21-\x7e]+$",
        description="Repeating a request with the same key within 24 hours gives the first one's answer.",
    ),
]

_log = structlog.get_logger()


@dataclass(frozen=True)
class Outcome(Generic[ModelT]):
    """An answer's data, and whether it is that of an earlier request."""

    data: ModelT
    replayed: bool

    @property
    def headers(self) -> dict[str, str]:
        """What the answer says about itself."""
        return {REPLAYED: "true"} if self.replayed else {}


Work = Callable[[], Awaitable[tuple[ModelT, str]]]
"""Carries the request out; returns the data and the fingerprint of what was asked for."""


def fingerprint_of(wish: Any) -> str:
    """64 hex characters over anything JSON can hold."""
    canonical = json.dumps(wish, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


async def once(
    resources: Resources,
    name: KeyName | None,
    model: type[ModelT],
    work: Work[ModelT],
    identify: Callable[[], Awaitable[str]],
) -> Outcome[ModelT]:
    """Runs ``work``, unless it has been run under this key. ``identify`` gives a repetition's fingerprint.

    409 while the first request is still at work, 422 when the key belongs to a request that wanted something else.
    """
    if name is None:
        return Outcome((await work())[0], replayed=False)
    token = uuid4()
    kept = await _begin(resources, name, token)
    if kept is None:
        return Outcome(await _carry_out(resources, name, token, work), replayed=False)
    if kept.answer is None:
        message = "The first request with this Idempotency-Key is still at work."
        raise ApiError(409, "in_progress", message, headers={"Retry-After": "1"})
    if await identify() != kept.fingerprint:
        raise ApiError(422, "idempotency_mismatch", "This Idempotency-Key was used for another request.")
    return Outcome(model.model_validate(kept.answer), replayed=True)


async def _begin(resources: Resources, name: KeyName, token: UUID) -> KeyRow | None:
    """None when the key is ours now."""
    now = datetime.now(UTC)
    async with resources.database.transaction(name.user_id) as session:
        if await idempotency.begin(session, name, token, now, now + KEPT_FOR, now - UNANSWERED_FOR):
            return None
        return await idempotency.find(session, name) or KeyRow(None, None)


async def _carry_out(resources: Resources, name: KeyName, token: UUID, work: Work[ModelT]) -> ModelT:
    try:
        data, fingerprint = await work()
    except BaseException:
        await asyncio.shield(_note(resources, name, token, None))
        raise
    await _note(resources, name, token, (fingerprint, data.model_dump(mode="json")))
    return data


async def _note(resources: Resources, name: KeyName, token: UUID, answer: tuple[str, dict[str, Any]] | None) -> None:
    """Keeps the answer, or frees the key. What was done stays done when the database is away now."""
    try:
        async with resources.database.transaction(name.user_id) as session:
            if answer:
                await idempotency.keep(session, name, token, *answer)
            else:
                await idempotency.release(session, name, token)
    except DatabaseUnavailableError:
        _log.warning("idempotency key left open", action=name.operation)
