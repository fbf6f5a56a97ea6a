"""``GET /api/v1/search/insights``: what the caller asks most, what finds nothing, how long it takes."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict

from database.engine import Database
from hosting.answers import Answer
from hosting.app import API_ROOT
from identity.principal import Caller
from search.store import feedback, insights


class _Row(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class AskedQueryAnswer(_Row):
    """A query, capitals ignored, how often it was asked and how it went the last time."""

    query: str
    searches: int
    last_asked_at: datetime
    last_result_count: int


class LatencyAnswer(_Row):
    """Percentiles in milliseconds; null without any search."""

    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None


class VerdictAnswer(_Row):
    """What was thought of one file of one search; ``filename`` is null once the file is gone."""

    search_id: UUID
    query: str
    upload_id: str
    filename: str | None
    rating: int
    comment: str | None
    created_at: datetime


class FeedbackSummary(BaseModel):
    """Counts of verdicts and the newest of them."""

    good: int
    bad: int
    latest: list[VerdictAnswer]


class InsightsAnswer(BaseModel):
    """Over the caller's own searches of the last days, as far as they are kept.

    ``without_results`` and ``zero_result_queries`` are of searches without filters, ``without_results_filtered`` counts
    the others.
    """

    searches: int
    without_results: int
    without_results_filtered: int
    degraded: int
    cached: int
    latency: LatencyAnswer
    top_queries: list[AskedQueryAnswer]
    zero_result_queries: list[AskedQueryAnswer]
    feedback: FeedbackSummary


def insights_router(database: Database) -> APIRouter:
    """The caller's own searches, summed up."""
    router = APIRouter(prefix=f"{API_ROOT}/search/insights", tags=["search"])

    @router.get("")
    async def own_insights(
        caller: Caller,
        days: Annotated[int, Query(ge=1, le=365)] = 30,
        limit: Annotated[int, Query(ge=1, le=100)] = 10,
    ) -> Answer[InsightsAnswer]:
        """What the caller searches for most, what was found for nothing, and how long it took."""
        user_id = caller.user_id
        async with database.transaction(user_id) as session:
            totals = await insights.totals(session, user_id, days)
            top = await insights.queries(session, user_id, days, limit)
            empty = await insights.queries(session, user_id, days, limit, only_empty=True)
            ratings = await insights.ratings(session, user_id, days)
            verdicts = await feedback.latest(session, user_id, days, limit)
        latest = [VerdictAnswer.model_validate(verdict) for verdict in verdicts]
        summed_up = InsightsAnswer(
            searches=totals.searches,
            without_results=totals.without_results,
            without_results_filtered=totals.without_results_filtered,
            degraded=totals.degraded,
            cached=totals.cached,
            latency=LatencyAnswer.model_validate(totals),
            top_queries=[AskedQueryAnswer.model_validate(query) for query in top],
            zero_result_queries=[AskedQueryAnswer.model_validate(query) for query in empty],
            feedback=FeedbackSummary(good=ratings.good, bad=ratings.bad, latest=latest),
        )
        return Answer(data=summed_up, meta={"days": days, "limit": limit})

    _ = own_insights
    return router
