"""Finds files of one user by vectors and by words, and reads what is shown of them.

Everything is asked under row-level security with the user named in the query as well.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.artifacts import Locator
from search.ranking import PassageKey
from search.request import Sort
from search.store.filtering import STATUS
from search.tables import VECTOR_TABLES

STATEMENT_TIMEOUT_MS = 5000

PROCESSING_AT_MOST = timedelta(hours=6)
"""A file untouched for longer is no longer on its way: two later stages of five deliveries, at most 600 s apart."""

# Generic plans: what depends on the tenant is decided before, and planning takes longer than running.
_PREPARE = f"""SELECT COALESCE((SELECT version FROM index_versions WHERE user_id = :user_id), 0) AS version,
    (SELECT model_id FROM model_choices WHERE user_id IN (:user_id, '') AND model_id IS NOT NULL
        ORDER BY user_id DESC LIMIT 1) AS model_id,
    set_config('plan_cache_mode', 'force_generic_plan', true), set_config('jit', 'off', true),
    set_config('enable_seqscan', 'off', true), set_config('hnsw.iterative_scan', 'relaxed_order', true),
    set_config('statement_timeout', '{STATEMENT_TIMEOUT_MS}', true)"""  # noqa: S608 - constants only

# Of the files touched lately each is looked up: counting all of a large user's takes longer than searching them.
_PROCESSING = """SELECT count(*) FROM files f
    WHERE f.user_id = :user_id AND (f.processed_run IS NOT NULL OR f.analyzed_run IS NOT NULL)
        AND f.touched_at > now() - CAST(:at_most AS interval)
        AND (f.failed_run IS NULL OR f.failed_run < greatest(f.processed_run, f.analyzed_run))
        AND NOT EXISTS (SELECT FROM passage_sets s WHERE s.upload_id = f.upload_id AND s.user_id = f.user_id
            AND s.run >= greatest(f.processed_run, f.analyzed_run))"""

# From one language to the next by the index, instead of through every file.
_CONFIGS = """WITH RECURSIVE config AS (
    (SELECT text_config FROM files WHERE user_id = :user_id ORDER BY text_config LIMIT 1)
    UNION ALL SELECT (SELECT f.text_config FROM files f WHERE f.user_id = :user_id
        AND f.text_config > config.text_config ORDER BY f.text_config LIMIT 1)
    FROM config WHERE config.text_config IS NOT NULL)
    SELECT text_config FROM config WHERE text_config <> 'simple'"""

_FILES = f"""SELECT upload_id, filename, kind, media_type, size_bytes, created_at, title, summary, has_thumbnail,
    flagged, language, {STATUS} AS status
    FROM files f WHERE user_id = :user_id AND upload_id = ANY(CAST(:upload_ids AS text[]))
    AND processed_run IS NOT NULL"""  # noqa: S608 - constants only

_FACETS = """SELECT kind, to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM') AS month,
    COALESCE(lower(substring(language FROM '^[A-Za-z]+')), '') AS language, count(*) AS files FROM files
    WHERE user_id = :user_id AND upload_id = ANY(CAST(:upload_ids AS text[])) AND processed_run IS NOT NULL
    GROUP BY 1, 2, 3"""

_IN_ORDER = """SELECT upload_id FROM files
    WHERE user_id = :user_id AND upload_id = ANY(CAST(:upload_ids AS text[])) AND processed_run IS NOT NULL
    ORDER BY {key}, upload_id"""

_SORT_KEYS = MappingProxyType(
    {
        Sort.OLDEST: "created_at",
        Sort.NEWEST: "created_at DESC",
        Sort.SMALLEST: "size_bytes",
        Sort.LARGEST: "size_bytes DESC",
        Sort.BY_NAME: "lower(filename), filename",
        Sort.BY_NAME_BACKWARDS: "lower(filename) DESC, filename DESC",
    }
)

_PASSAGES = """SELECT p.upload_id, p.model_id, p.ordinal, p.text, p.source, p.page, p.start_s, p.end_s, p.section
    FROM unnest(CAST(:upload_ids AS text[]), CAST(:models AS text[]), CAST(:ordinals AS int[]))
        AS k(upload_id, model_id, ordinal)
    JOIN passages p USING (upload_id, model_id, ordinal) WHERE p.user_id = :user_id"""

_CENTRE = """SELECT CAST(avg(embedding) AS text) FROM {table}
    WHERE user_id = :user_id AND upload_id = :upload_id AND model_id = :model_id"""


@dataclass(frozen=True)
class Index:
    """The same index gives the same answers. ``version`` is 0 while it is empty; ``model_id`` is the model chosen to
    answer, None where nobody chose one.
    """

    version: int
    model_id: str | None


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
    language: str | None
    status: str


@dataclass(frozen=True)
class FacetCount:
    """Files of one kind, month (``2026-11``, UTC) and language (empty while nobody told)."""

    kind: str
    month: str
    language: str
    files: int


@dataclass(frozen=True)
class FoundPassage:
    """What is shown of a passage."""

    text: str
    source: str
    locator: Locator


async def prepare(session: AsyncSession, user_id: str = "") -> Index:
    """Sets the transaction up for searching; answers what the user's index is at this moment."""
    row = (await session.execute(text(_PREPARE), {"user_id": user_id})).one()
    return Index(row.version, row.model_id)


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


async def in_order(session: AsyncSession, user_id: str, upload_ids: Sequence[str], sort: Sort) -> list[str]:
    """The files that are still there by date, size or name; never to be asked for together with distances."""
    statement = text(_IN_ORDER.format(key=_SORT_KEYS[sort]))
    return list((await session.scalars(statement, {"user_id": user_id, "upload_ids": list(upload_ids)})).all())


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
