"""``GET /api/v1/search/insights``: the caller's frequent queries, those without results, latency and ratings."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel

from database.engine import Database
from hosting.answers import Answer
from hosting.app import API_ROOT
from identity.principal import Caller
from search.store import feedback, insights


class LatencyAnswer(BaseModel):
    """Percentiles in milliseconds; null without any search."""

    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None


class FeedbackSummary(BaseModel):
    """Counts of verdicts and the newest of them."""

    good: int
    bad: int
    latest: list[feedback.Verdict]


class InsightsAnswer(BaseModel):
    """Statistics of the caller's own searches of the last days, as far as they are still stored.

    ``without_results`` and ``zero_result_queries`` are of searches without filters, ``without_results_filtered`` counts
    the others.
    """

    searches: int
    without_results: int
    without_results_filtered: int
    degraded: int
    cached: int
    latency: LatencyAnswer
    top_queries: list[insights.AskedQuery]
    zero_result_queries: list[insights.AskedQuery]
    feedback: FeedbackSummary


def insights_router(database: Database) -> APIRouter:
    """Returns the route for the statistics of the caller's searches."""
    router = APIRouter(prefix=f"{API_ROOT}/search/insights", tags=["search"])

    @router.get("")
    async def own_insights(
        caller: Caller,
        days: Annotated[int, Query(ge=1, le=365)] = 30,
        limit: Annotated[int, Query(ge=1, le=100)] = 10,
    ) -> Answer[InsightsAnswer]:
        """The caller's most frequent queries, those that found nothing, latency and ratings."""
        user_id = caller.user_id
        async with database.transaction(user_id) as session:
            totals = await insights.totals(session, user_id, days)
            top = await insights.queries(session, user_id, days, limit)
            empty = await insights.queries(session, user_id, days, limit, only_empty=True)
            ratings = await insights.ratings(session, user_id, days)
            verdicts = await feedback.latest(session, user_id, days, limit)
        summed_up = InsightsAnswer(
            searches=totals.searches,
            without_results=totals.without_results,
            without_results_filtered=totals.without_results_filtered,
            degraded=totals.degraded,
            cached=totals.cached,
            latency=LatencyAnswer(p50_ms=totals.p50_ms, p95_ms=totals.p95_ms, p99_ms=totals.p99_ms),
            top_queries=top,
            zero_result_queries=empty,
            feedback=FeedbackSummary(good=ratings.good, bad=ratings.bad, latest=verdicts),
        )
        return Answer(data=summed_up, meta={"days": days, "limit": limit})

    _ = own_insights
    return router
