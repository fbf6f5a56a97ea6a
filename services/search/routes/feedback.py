"""``POST /api/v1/feedback``: the caller's verdict on a file that a search of theirs found."""

from typing import Self
from uuid import UUID

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field, model_validator

from contracts.identifiers import UPLOAD_ID_PATTERN
from database.engine import Database
from hosting.answers import Answer, not_found
from hosting.app import API_ROOT
from identity.principal import Caller
from search.query import printable
from search.routes.bodies import declared, read_model
from search.store import feedback


class FeedbackRequest(BaseModel):
    """``rating`` 1: that was it; 0: it was not, and ``text`` says why."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    search_id: UUID
    upload_id: str = Field(pattern=UPLOAD_ID_PATTERN)
    rating: int = Field(ge=0, le=1)
    text: str | None = Field(default=None, max_length=2000)

    @property
    def comment(self) -> str | None:
        """``text`` without control characters; None if nothing is left."""
        return printable(self.text or "") or None

    @model_validator(mode="after")
    def _bad_needs_a_reason(self) -> Self:
        if self.rating == 0 and self.comment is None:
            raise ValueError("text is required for rating 0")
        return self


class FeedbackAnswer(BaseModel):
    """The stored verdict. ``replaced``: it replaces an earlier one on the same file of the same search."""

    search_id: UUID
    upload_id: str
    rating: int
    replaced: bool


def feedback_router(database: Database) -> APIRouter:
    """Returns the route for verdicts."""
    router = APIRouter(prefix=f"{API_ROOT}/feedback", tags=["search"])

    @router.post("", openapi_extra=declared(FeedbackRequest))
    async def give(caller: Caller, request: Request) -> Answer[FeedbackAnswer]:
        """A verdict on one found file; a second one replaces the first."""
        given = await read_model(request, FeedbackRequest)
        async with database.transaction(caller.user_id) as session:
            known = await feedback.known(session, caller.user_id, given.search_id, given.upload_id)
            if not known.search or not known.file:
                raise not_found("file" if known.search else "search")
            replaced = await feedback.write(
                session, caller.user_id, given.search_id, given.upload_id, given.rating, given.comment
            )
        kept = FeedbackAnswer(
            search_id=given.search_id, upload_id=given.upload_id, rating=given.rating, replaced=replaced
        )
        return Answer(data=kept)

    _ = give
    return router
