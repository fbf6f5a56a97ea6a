"""``GET /api/v1/search/history`` and its deletion, one search or all."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel

from database.engine import Database
from hosting.answers import Answer, not_found
from hosting.app import API_ROOT
from identity.principal import Caller
from search.answers import page_meta
from search.store import history


class Deleted(BaseModel):
    """How many searches were deleted."""

    deleted: int


def history_router(database: Database) -> APIRouter:
    """Returns the routes for the caller's past searches."""
    router = APIRouter(prefix=f"{API_ROOT}/search/history", tags=["search"])

    @router.get("")
    async def past_searches(
        caller: Caller,
        limit: Annotated[int, Query(ge=1, le=100)] = 20,
        offset: Annotated[int, Query(ge=0, le=history.KEPT)] = 0,
    ) -> Answer[list[history.PastSearch]]:
        """The caller's past searches, newest first."""
        async with database.transaction(caller.user_id) as session:
            total = await history.count(session, caller.user_id)
            found = await history.page(session, caller.user_id, limit, offset)
        return Answer(data=found, meta=page_meta(limit, offset, len(found), total))

    @router.delete("")
    async def delete_all(caller: Caller) -> Answer[Deleted]:
        """Deletes every past search of the caller."""
        async with database.transaction(caller.user_id) as session:
            return Answer(data=Deleted(deleted=await history.delete(session, caller.user_id)))

    @router.delete("/{search_id}")
    async def delete_one(caller: Caller, search_id: UUID) -> Answer[Deleted]:
        """Deletes one past search of the caller."""
        async with database.transaction(caller.user_id) as session:
            deleted = await history.delete(session, caller.user_id, search_id)
        if not deleted:
            raise not_found("search")
        return Answer(data=Deleted(deleted=deleted))

    _ = (past_searches, delete_all, delete_one)
    return router
