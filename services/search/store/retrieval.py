"""Finds files of one user by vectors and by words, and reads what is shown of them.

Everything is asked under row-level security with the user named in the query as well.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.artifacts import Locator
from search.ranking import PassageKey
from search.request import Filters
from search.tables import VECTOR_TABLES

STATEMENT_TIMEOUT_MS = 5000

PROCESSING_AT_MOST = timedelta(hours=6)
"""A file untouched for longer is no longer on its way: two later stages of five deliveries, at most 600 s apart."""

# Custom plans: the right plan depends on whose rows are asked for. Compiling a plan costs more than these queries.
_PREPARE = f"""SELECT set_config('plan_cache_mode', 'force_custom_plan', true), set_config('jit', 'off', true),
    set_config('statement_timeout', '{STATEMENT_TIMEOUT_MS}', true)"""

_MENTIONS = """(f.name_words @@ CAST(r.q AS tsquery) OR f.about_words @@ CAST(r.q AS tsquery)
    OR EXISTS (SELECT FROM passages p WHERE p.upload_id = f.upload_id AND p.words @@ CAST(r.q AS tsquery)))"""

WANTED_FILES = f"""f.user_id = :user_id AND f.processed_run IS NOT NULL
    AND (CAST(:include_flagged AS boolean) OR f.flagged IS NOT TRUE)
    AND (CAST(:kinds AS text[]) IS NULL OR f.kind = ANY(CAST(:kinds AS text[])))
    AND (CAST(:created_from AS timestamptz) IS NULL OR f.created_at >= :created_from)
    AND (CAST(:created_before AS timestamptz) IS NULL OR f.created_at < :created_before)
    AND (CAST(:min_bytes AS bigint) IS NULL OR f.size_bytes >= :min_bytes)
    AND (CAST(:max_bytes AS bigint) IS NULL OR f.size_bytes <= :max_bytes)
    AND (CAST(:other_than AS text) IS NULL OR f.upload_id <> :other_than)
    AND (cardinality(CAST(:required AS text[])) = 0
        OR (SELECT bool_and(COALESCE({_MENTIONS}, false)) FROM unnest(CAST(:required AS text[])) AS r(q)))
    AND (cardinality(CAST(:excluded AS text[])) = 0
        OR NOT (SELECT bool_or(COALESCE({_MENTIONS}, false)) FROM unnest(CAST(:excluded AS text[])) AS r(q)))
    """  # noqa: S608 - constants only

_PROCESSING = """SELECT count(*) FROM files f
    LEFT JOIN (SELECT upload_id, max(run) AS run FROM passage_sets WHERE user_id = :user_id GROUP BY upload_id) s
        USING (upload_id)
    WHERE f.user_id = :user_id AND (f.processed_run IS NOT NULL OR f.analyzed_run IS NOT NULL)
        AND f.touched_at > now() - CAST(:at_most AS interval)
        AND (s.run IS NULL OR s.run < greatest(f.processed_run, f.analyzed_run))
        AND (f.failed_run IS NULL OR f.failed_run < greatest(f.processed_run, f.analyzed_run))"""

_CONFIGS = "SELECT DISTINCT text_config FROM files WHERE user_id = :user_id AND text_config <> 'simple' ORDER BY 1"

_FILES = """SELECT upload_id, filename, kind, media_type, size_bytes, created_at, title, summary, has_thumbnail, flagged
    FROM files WHERE user_id = :user_id AND upload_id = ANY(CAST(:upload_ids AS text[]))
    AND processed_run IS NOT NULL"""

_FACETS = """SELECT kind, to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM') AS month, count(*) AS files FROM files
    WHERE user_id = :user_id AND upload_id = ANY(CAST(:upload_ids AS text[])) AND processed_run IS NOT NULL
    GROUP BY 1, 2"""

_PASSAGES = """SELECT p.upload_id, p.model_id, p.ordinal, p.text, p.source, p.page, p.start_s, p.end_s, p.section
    FROM unnest(CAST(:upload_ids AS text[]), CAST(:models AS text[]), CAST(:ordinals AS int[]))
        AS k(upload_id, model_id, ordinal)
    JOIN passages p USING (upload_id, model_id, ordinal) WHERE p.user_id = :user_id"""

_CENTRE = """SELECT CAST(avg(embedding) AS text) FROM {table}
    WHERE user_id = :user_id AND upload_id = :upload_id AND model_id = :model_id"""


@dataclass(frozen=True)
class FoundFile:
    """What is shown of a file."""

    upload_id: str
    filename: str
    kind: str
    media_type: str
    size_bytes: int
    created_at: datetime
    title: str | None
    summary: str | None
    has_thumbnail: bool
    flagged: bool | None


@dataclass(frozen=True)
class FacetCount:
    """Files of one kind and month (``2026-11``, UTC)."""

    kind: str
    month: str
    files: int


@dataclass(frozen=True)
class FoundPassage:
    """What is shown of a passage."""

    text: str
    source: str
    locator: Locator


async def prepare(session: AsyncSession) -> None:
    """Sets the transaction up for searching."""
    await session.execute(text(_PREPARE))


async def processing(session: AsyncSession, user_id: str) -> int:
    """How many of the user's files cannot be found by meaning yet."""
    values = {"user_id": user_id, "at_most": PROCESSING_AT_MOST}
    return (await session.execute(text(_PROCESSING), values)).scalar_one()


async def text_configs(session: AsyncSession, user_id: str) -> list[str]:
    """The text search configurations of the user's languages, but for ``simple``."""
    return list((await session.scalars(text(_CONFIGS), {"user_id": user_id})).all())


async def files(session: AsyncSession, user_id: str, upload_ids: Sequence[str]) -> dict[str, FoundFile]:
    """The files that are still there."""
    rows = await session.execute(text(_FILES), {"user_id": user_id, "upload_ids": list(upload_ids)})
    return {row["upload_id"]: FoundFile(**row) for row in rows.mappings()}


async def facets(session: AsyncSession, user_id: str, upload_ids: Sequence[str]) -> list[FacetCount]:
    """Counts over the found files."""
    rows = await session.execute(text(_FACETS), {"user_id": user_id, "upload_ids": list(upload_ids)})
    return [FacetCount(**row) for row in rows.mappings()]


async def passages(
    session: AsyncSession, user_id: str, keys: Sequence[tuple[str, PassageKey]]
) -> dict[tuple[str, PassageKey], FoundPassage]:
    """The passages that are still there, by upload id and key."""
    values = {
        "user_id": user_id,
        "upload_ids": [upload_id for upload_id, _ in keys],
        "models": [key.model_id for _, key in keys],
        "ordinals": [key.ordinal for _, key in keys],
    }
    rows = await session.execute(text(_PASSAGES), values)
    return {(row.upload_id, PassageKey(row.model_id, row.ordinal)): _passage(row) for row in rows}


async def centre(session: AsyncSession, user_id: str, upload_id: str, model_id: str, dimensions: int) -> str | None:
    """The mean of a file's vectors as ``halfvec`` reads it; None when it has none of this model."""
    statement = text(_CENTRE.format(table=VECTOR_TABLES[dimensions]))
    return await session.scalar(statement, {"user_id": user_id, "upload_id": upload_id, "model_id": model_id})


def _passage(row: Any) -> FoundPassage:
    locator = Locator(page=row.page, start_s=row.start_s, end_s=row.end_s, section=row.section)
    return FoundPassage(row.text, row.source, locator)


def parameters(user_id: str, filters: Filters) -> dict[str, Any]:
    """The values of ``WANTED_FILES``."""
    return {"user_id": user_id, **filters.parameters()}
