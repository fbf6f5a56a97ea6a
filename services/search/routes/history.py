"""``GET /api/v1/search/history`` and its deletion, one search or all."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict

from database.engine import Database
from hosting.answers import Answer, not_found
from hosting.app import API_ROOT
from identity.principal import Caller
from search.store import history


class PastSearchAnswer(BaseModel):
    """One of the caller's searches. ``filtered``: filters held some of the files out."""

    model_config = ConfigDict(from_attributes=True)

    search_id: UUID
    query: str
    mode: str
    result_count: int
    took_ms: float
    degraded: bool
    cached: bool
    filtered: bool
    created_at: datetime


class Deleted(BaseModel):
    """How many searches were deleted."""

    deleted: int


def history_router(database: Database) -> APIRouter:
    """The caller's own past searches."""
    router = APIRouter(prefix=f"{API_ROOT}/search/history", tags=["search"])

    @router.get("")
    async def past_searches(
        caller: Caller,
        limit: Annotated[int, Query(ge=1, le=100)] = 20,
        offset: Annotated[int, Query(ge=0, le=history.KEPT)] = 0,
    ) -> Answer[list[PastSearchAnswer]]:
        """What the caller searched for, newest first."""
        async with database.transaction(caller.user_id) as session:
            total = await history.count(session, caller.user_id)
            found = await history.page(session, caller.user_id, limit, offset)
        meta = {"limit": limit, "offset": offset, "total": total, "has_more": offset + len(found) < total}
        return Answer(data=[PastSearchAnswer.model_validate(search) for search in found], meta=meta)

    @router.delete("")
    async def delete_all(caller: Caller) -> Answer[Deleted]:
        """Forgets every past search."""
        async with database.transaction(caller.user_id) as session:
            return Answer(data=Deleted(deleted=await history.delete(session, caller.user_id)))

    @router.delete("/{search_id}")
    async def delete_one(caller: Caller, search_id: UUID) -> Answer[Deleted]:
        """Forgets one past search."""
        async with database.transaction(caller.user_id) as session:
            deleted = await history.delete(session, caller.user_id, search_id)
        if not deleted:
            raise not_found("search")
        return Answer(data=Deleted(deleted=deleted))

    _ = (past_searches, delete_all, delete_one)
    return router
