"""Statistics of a user's own past searches: frequent queries, those without results, latency, ratings."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

_RECENT = "user_id = :user_id AND created_at >= now() - CAST(:period AS interval)"

# Files that filters exclude exist all the same: only searches of all files tell what cannot be found.
_TOTALS = f"""SELECT count(*) AS searches, count(*) FILTER (WHERE result_count = 0 AND NOT filtered) AS without_results,
    count(*) FILTER (WHERE result_count = 0 AND filtered) AS without_results_filtered,
    count(*) FILTER (WHERE degraded) AS degraded, count(*) FILTER (WHERE cached) AS cached,
    percentile_cont(0.5) WITHIN GROUP (ORDER BY took_ms) AS p50_ms,
    percentile_cont(0.95) WITHIN GROUP (ORDER BY took_ms) AS p95_ms,
    percentile_cont(0.99) WITHIN GROUP (ORDER BY took_ms) AS p99_ms
    FROM search_history WHERE {_RECENT}"""  # noqa: S608 - constants only

_QUERIES = f"""SELECT min(query) AS query, count(*) AS searches, max(created_at) AS last_asked_at,
    (array_agg(result_count ORDER BY search_id DESC))[1] AS last_result_count
    FROM search_history WHERE {_RECENT} AND NOT (filtered AND CAST(:only_empty AS boolean)) GROUP BY lower(query)
    HAVING NOT CAST(:only_empty AS boolean) OR (array_agg(result_count ORDER BY search_id DESC))[1] = 0
    ORDER BY searches DESC, last_asked_at DESC, query LIMIT :limit"""  # noqa: S608 - constants only

_RATINGS = f"""SELECT count(*) FILTER (WHERE rating = 1) AS good, count(*) FILTER (WHERE rating = 0) AS bad
    FROM search_feedback WHERE {_RECENT}"""  # noqa: S608 - constants only


@dataclass(frozen=True)
class Totals:
    """Counts of searches, and percentiles of the milliseconds they took (None without any search).

    ``without_results``: searches of all files that found nothing; ``without_results_filtered``: those with filters.
    """

    searches: int
    without_results: int
    without_results_filtered: int
    degraded: int
    cached: int
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None


@dataclass(frozen=True)
class AskedQuery:
    """A query, capitals ignored, how often it was asked and how it went the last time."""

    query: str
    searches: int
    last_asked_at: datetime
    last_result_count: int


@dataclass(frozen=True)
class Ratings:
    """Number of good and bad verdicts."""

    good: int
    bad: int


async def totals(session: AsyncSession, user_id: str, days: int) -> Totals:
    """Returns the totals of the searches of the last days that are still stored."""
    row = (await session.execute(text(_TOTALS), _recent(user_id, days))).mappings().one()
    return Totals(**row)


async def queries(
    session: AsyncSession, user_id: str, days: int, limit: int, *, only_empty: bool = False
) -> list[AskedQuery]:
    """Returns the most frequent queries; with ``only_empty`` those without filters that found nothing the last time."""
    values = _recent(user_id, days) | {"limit": limit, "only_empty": only_empty}
    return [AskedQuery(**row) for row in (await session.execute(text(_QUERIES), values)).mappings()]


async def ratings(session: AsyncSession, user_id: str, days: int) -> Ratings:
    """Returns the counts of verdicts of the last days."""
    row = (await session.execute(text(_RATINGS), _recent(user_id, days))).mappings().one()
    return Ratings(**row)


def _recent(user_id: str, days: int) -> dict[str, object]:
    return {"user_id": user_id, "period": timedelta(days=days)}
