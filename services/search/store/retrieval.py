"""Reads the state of a user's index before a search, and the files and passages of a result page after it.

Every statement runs under row-level security and names the user as well.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from types import MappingProxyType
from typing import Any, NamedTuple

from database.reading import Terms
from search.folding import DEFAULT_CONFIG, SIMPLE, name_order
from search.models import Space
from search.planner import Counts
from search.ranking import PassageKey
from search.request import Sort
from search.store.arrivals import COUNT as ARRIVED
from search.store.by_meaning import GRAPH_SETTINGS
from search.store.filtering import STATUS
from search.store.graph import COUNTED, Holdings
from search.store.statements import Transaction, statement
from search.tables import VECTOR_TABLES

PROCESSING_AT_MOST = timedelta(hours=6)
"""A file untouched for longer is not being processed: two later stages of five deliveries, at most 600 s apart."""

SEARCH_TERMS = Terms(
    # Generic plans: what depends on the tenant is decided beforehand, and planning takes longer than running.
    settings=MappingProxyType(
        {
            "plan_cache_mode": "force_generic_plan",
            "jit": "off",
            "enable_seqscan": "off",
            "statement_timeout": "5s",
            **GRAPH_SETTINGS,
        }
    )
)
"""The settings of a search's transaction."""

HISTORY_TERMS = Terms(
    # While the history is small its statistics make Postgres read all of it.
    settings=MappingProxyType(
        {"plan_cache_mode": "force_generic_plan", "enable_seqscan": "off", "statement_timeout": "5s"}
    ),
    notes=True,
)
"""The settings of the transaction that writes a search to the history."""

# Only files touched lately are checked for processing: counting all of a large user's takes longer than searching them.
# The recursion steps from one language to the next by the index instead of reading every file.
_INDEX = f"""SELECT COALESCE((SELECT version FROM index_versions WHERE user_id = :user_id), 0) AS version,
    chosen.model_id, COALESCE(chosen.model_id, :current) AS answering,
    ARRAY(WITH RECURSIVE config AS (
        (SELECT text_config FROM files WHERE user_id = :user_id ORDER BY text_config LIMIT 1)
        UNION ALL SELECT (SELECT f.text_config FROM files f WHERE f.user_id = :user_id
            AND f.text_config > config.text_config ORDER BY f.text_config LIMIT 1)
        FROM config WHERE config.text_config IS NOT NULL)
        SELECT text_config FROM config WHERE text_config IS NOT NULL) AS text_configs,
    ({ARRIVED}) + (SELECT count(*) FROM files f
        WHERE f.user_id = :user_id AND (f.processed_run IS NOT NULL OR f.analyzed_run IS NOT NULL)
        AND f.touched_at > now() - CAST(:at_most AS interval)
        AND (f.failed_run IS NULL OR f.failed_run < greatest(f.processed_run, f.analyzed_run))
        AND NOT EXISTS (SELECT FROM passage_sets s WHERE s.upload_id = f.upload_id AND s.user_id = f.user_id
            AND s.model_id = COALESCE(chosen.model_id, :current)
            AND s.run >= greatest(f.processed_run, f.analyzed_run))) AS processing,
    counted.* FROM ({COUNTED}) counted,
    (SELECT (SELECT model_id FROM model_choices WHERE user_id IN (:user_id, '') AND model_id IS NOT NULL
        ORDER BY user_id DESC LIMIT 1) AS model_id OFFSET 0) chosen"""  # noqa: S608 - constants only

# Each part is one row of arrays: a row for every file and passage would cost more than its contents.
_RESULT_PAGE = f"""SELECT file.*, passage.*, counted.* FROM
    (SELECT array_agg(f.upload_id) AS upload_ids, array_agg(f.filename) AS filenames, array_agg(f.kind) AS kinds,
        array_agg(f.media_type) AS media_types, array_agg(f.size_bytes) AS sizes, array_agg(f.created_at) AS created,
        array_agg(f.title) AS titles, array_agg(f.summary) AS summaries, array_agg(f.has_thumbnail) AS thumbnails,
        array_agg(f.has_storyboard) AS storyboards, array_agg(f.flagged) AS flags,
        array_agg(f.language) AS languages, array_agg({STATUS}) AS statuses
    FROM unnest(CAST(:upload_ids AS text[])) AS k(upload_id) JOIN files f USING (upload_id)
    WHERE f.user_id = :user_id AND f.processed_run IS NOT NULL) file,
    (SELECT array_agg(p.upload_id) AS of_files, array_agg(p.model_id) AS models, array_agg(p.ordinal) AS ordinals,
        array_agg(p.text) AS texts, array_agg(p.source) AS sources, array_agg(p.page) AS pages,
        array_agg(p.start_s) AS starts, array_agg(p.end_s) AS ends, array_agg(p.section) AS sections,
        jsonb_agg(p.cues) AS cues
    FROM unnest(CAST(:of_files AS text[]), CAST(:models AS text[]), CAST(:ordinals AS int[]))
        AS k(upload_id, model_id, ordinal)
    JOIN passages p USING (upload_id, model_id, ordinal) WHERE p.user_id = :user_id) passage,
    (SELECT array_agg(c.kind) AS of_kinds, array_agg(c.month) AS of_months, array_agg(c.language) AS of_languages,
        array_agg(c.size) AS of_sizes, array_agg(c.has_text) AS of_has_text, array_agg(c.status) AS of_statuses,
        array_agg(c.files) AS counts
    FROM (SELECT kind, month, language, size, has_text, status, count(*) AS files FROM (
        SELECT f.kind, to_char(f.created_at AT TIME ZONE 'UTC', 'YYYY-MM') AS month,
            COALESCE(lower(substring(f.language FROM '^[A-Za-z]+')), '') AS language,
            (ARRAY['0-1', '1-10', '10-100', '100-'])[1 + width_bucket(f.size_bytes,
                ARRAY[1048576, 10485760, 104857600])] AS size,
            CAST(COALESCE(f.has_text, false) AS text) AS has_text, {STATUS} AS status
        FROM unnest(CAST(:found AS text[])) AS k(upload_id) JOIN files f USING (upload_id)
        WHERE f.user_id = :user_id AND f.processed_run IS NOT NULL OFFSET 0) each_one
        GROUP BY GROUPING SETS ((kind), (month), (language), (size), (has_text), (status))) c) counted"""  # noqa: S608 - constants only

_IN_ORDER = """SELECT upload_id FROM files
    WHERE user_id = :user_id AND upload_id = ANY(CAST(:upload_ids AS text[])) AND processed_run IS NOT NULL
    ORDER BY {key}, upload_id"""

_SORT_KEYS = MappingProxyType(
    {
        Sort.OLDEST: "created_at",
        Sort.NEWEST: "created_at DESC",
        Sort.SMALLEST: "size_bytes",
        Sort.LARGEST: "size_bytes DESC",
    }
)

_NAMES = """SELECT upload_id, filename FROM files
    WHERE user_id = :user_id AND upload_id = ANY(CAST(:upload_ids AS text[])) AND processed_run IS NOT NULL
    ORDER BY upload_id"""

_CENTRE = """SELECT avg(embedding) AS centre FROM {table}
    WHERE user_id = :user_id AND upload_id = :upload_id AND model_id = :model_id"""


@dataclass(frozen=True)
class Index:
    """The state of a user's index.

    ``version`` is 0 while it is empty; ``model_id`` is the model chosen to answer, None if nobody chose one;
    ``answering`` is that one or else the current model.
    ``text_configs`` are the text search configurations of the user's languages. ``processing``: how many files this
    model cannot find by meaning yet.
    """

    version: int
    model_id: str | None
    answering: str
    text_configs: tuple[str, ...]
    processing: int
    holdings: Holdings

    @cached_property
    def languages(self) -> list[str]:
        """The text search configurations of the user's files and English; ``simple`` if a file is in one unstemmed."""
        return sorted({DEFAULT_CONFIG, *self.text_configs})

    @property
    def has_unstemmed(self) -> bool:
        """True if some file is in a language that Postgres has no stemmer for."""
        return SIMPLE in self.text_configs

    @property
    def files(self) -> int:
        """How many files can be found by meaning, by the model that has most of them."""
        return max((of_model.files for of_model in self.holdings.of_models.values()), default=0)

    def counts(self, space: Space) -> Counts:
        """Returns how many passages, passages in the graph and files there are in a vector space."""
        return self.holdings.counts(space.model_id, space.dimensions)

    def passages_of(self, space: Space) -> int:
        """Returns how many passages there are in a vector space."""
        return self.counts(space).passages if space.dimensions else 0

    @property
    def state(self) -> tuple[int, str | None]:
        """Cache key: equal states give equal answers."""
        return self.version, self.model_id


class FoundPassage(NamedTuple):
    """The shown fields of a passage; ``cues`` are (code point of ``text``, second) of the lines it was joined from."""

    text: str
    source: str
    page: int | None
    start_s: float | None
    end_s: float | None
    section: str | None
    cues: Sequence[tuple[int, float]] | None


class FoundFile(NamedTuple):
    """The shown fields of a file, and the requested passages of it."""

    upload_id: str
    filename: str
    kind: str
    media_type: str
    size_bytes: int
    created_at: datetime
    title: str | None
    summary: str | None
    has_thumbnail: bool
    has_storyboard: bool | None
    flagged: bool | None
    language: str | None
    status: str
    passages: Mapping[PassageKey, FoundPassage]


class FacetCounts(NamedTuple):
    """Number of files by kind, month (``2026-11``, UTC), language (empty if unknown), size (``1-10``: from 1 MB to
    below 10 MB), whether there is text inside (``true``, ``false``), and status.
    """

    kinds: Mapping[str, int]
    months: Mapping[str, int]
    languages: Mapping[str, int]
    sizes: Mapping[str, int]
    has_text: Mapping[str, int]
    statuses: Mapping[str, int]


class ResultPage(NamedTuple):
    """The files of a result page by id, and counts over all files found."""

    files: Mapping[str, FoundFile]
    counts: FacetCounts


async def index_state(transaction: Transaction, user_id: str, current: str) -> Index:
    """Returns the state of the user's index, which a search needs before it begins.

    ``current``: the id of the model that answers those who have no other choice.
    """
    values = {"user_id": user_id, "current": current, "at_most": PROCESSING_AT_MOST}
    row = (await transaction.execute(statement(_INDEX), values)).one()
    configs = tuple(row.text_configs)
    return Index(row.version, row.model_id, row.answering, configs, row.processing, Holdings.of(row))


async def result_page(
    transaction: Transaction,
    user_id: str,
    answering: str,
    moments: Mapping[str, Sequence[PassageKey]],
    found: Sequence[str] = (),
) -> ResultPage:
    """Returns the files of ``moments`` with the named passages, as far as they still exist, and the counts over all
    files ``found``. Their status is that of the model ``answering``.
    """
    keys = [(upload_id, key) for upload_id, keys in moments.items() for key in keys]
    values = {
        "user_id": user_id,
        "answering": answering,
        "upload_ids": list(moments),
        "of_files": [upload_id for upload_id, _ in keys],
        "models": [key.model_id for _, key in keys],
        "ordinals": [key.ordinal for _, key in keys],
        "found": list(found),
    }
    row = (await transaction.execute(statement(_RESULT_PAGE), values)).one()
    return ResultPage(_files(row), _counts(row))


async def filenames(transaction: Transaction, user_id: str, upload_ids: Sequence[str]) -> dict[str, str]:
    """Returns the names of the files that still exist, by id and in the order of their ids."""
    rows = await transaction.execute(statement(_NAMES), {"user_id": user_id, "upload_ids": list(upload_ids)})
    return {row.upload_id: row.filename for row in rows}


async def in_order(transaction: Transaction, user_id: str, upload_ids: Sequence[str], sort: Sort) -> list[str]:
    """Returns the files that still exist, ordered by date, size or name."""
    values = {"user_id": user_id, "upload_ids": list(upload_ids)}
    if sort in (Sort.BY_NAME, Sort.BY_NAME_BACKWARDS):
        names = await filenames(transaction, user_id, upload_ids)
        return sorted(names, key=lambda it: name_order(names[it]), reverse=sort is Sort.BY_NAME_BACKWARDS)
    rows = await transaction.execute(statement(_IN_ORDER.format(key=_SORT_KEYS[sort])), values)
    return [row.upload_id for row in rows]


async def centre(transaction: Transaction, user_id: str, upload_id: str, space: Space) -> bytes | None:
    """Returns the mean of a file's vectors as ``halfvec``; None if it has none of this model."""
    mean = statement(_CENTRE.format(table=VECTOR_TABLES[space.dimensions]))
    values = {"user_id": user_id, "upload_id": upload_id, "model_id": space.model_id}
    return (await transaction.execute(mean, values)).one().centre


def _files(row: Any) -> dict[str, FoundFile]:
    if row.upload_ids is None:
        return {}
    passages: dict[str, dict[PassageKey, FoundPassage]] = {upload_id: {} for upload_id in row.upload_ids}
    if row.of_files is not None:
        keys = map(PassageKey, row.models, row.ordinals)
        each = map(FoundPassage, row.texts, row.sources, row.pages, row.starts, row.ends, row.sections, row.cues)
        for upload_id, key, passage in zip(row.of_files, keys, each, strict=True):
            if upload_id in passages:
                passages[upload_id][key] = passage
    files = map(
        FoundFile,
        row.upload_ids,
        row.filenames,
        row.kinds,
        row.media_types,
        row.sizes,
        row.created,
        row.titles,
        row.summaries,
        row.thumbnails,
        row.storyboards,
        row.flags,
        row.languages,
        row.statuses,
        passages.values(),
    )
    return {file.upload_id: file for file in files}


def _counts(row: Any) -> FacetCounts:
    counts = row.counts or ()
    of = (row.of_kinds, row.of_months, row.of_languages, row.of_sizes, row.of_has_text, row.of_statuses)
    return FacetCounts(*(_sums(values, counts) for values in of))


def _sums(of: Sequence[str | None] | None, counts: Sequence[int]) -> dict[str, int]:
    """Returns value → files of one facet; rows of other facets have None here."""
    return {value: files for value, files in zip(of or (), counts, strict=True) if value is not None}
