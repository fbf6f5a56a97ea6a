"""Reads which terms of a query a sample of a large tenant's files holds, and which files the filters leave."""

from collections.abc import Sequence
from functools import lru_cache

from search.request import Filters
from search.store import filtering
from search.store.statements import Transaction, statement
from search.store.term_queries import BEST_MASK, TermQuery, mask, mask_parameters
from search.thresholds import Sample, SampleGroup

_SAMPLE = """WITH {set_word_scope}, matching AS MATERIALIZED (
    SELECT w.upload_id, {mask} AS mask FROM words w WHERE w.user_id = :user_id AND {after_word_scope}),
file AS (SELECT upload_id, bit_or(mask) AS mask, {best_mask} AS best FROM matching WHERE mask <> 0 GROUP BY upload_id)
SELECT s.mask, s.best, count(*) AS files, count(*) FILTER (WHERE {passes}) AS passing FROM file s GROUP BY 1, 2"""

_PASSES = "EXISTS (SELECT FROM files f WHERE f.upload_id = s.upload_id AND {conditions})"

_FILTERED_FILES = "SELECT f.upload_id FROM files f WHERE {conditions} LIMIT :most"


async def sample(
    transaction: Transaction, user_id: str, filters: Filters, terms: Sequence[TermQuery], *, one_in: int, files: int
) -> Sample:
    """Returns which terms the sample of one file in ``one_in`` holds; ``files``: how many the tenant has."""
    # Nearly every file is visible: without filters it is not worth checking each.
    passes = (
        _PASSES.format(conditions=filtering.filter_conditions(filters)) if filtering.is_selective(filters) else "true"
    )
    values = filtering.parameters(user_id, filters) | mask_parameters(terms)
    values |= filtering.word_scope_parameters([term.tsquery for term in terms], one_in)
    rows = await transaction.execute(statement(_sample(len(terms), passes)), values)
    return Sample(one_in, files, [SampleGroup(row.mask, row.best, row.files, row.passing) for row in rows])


async def filtered_files(transaction: Transaction, user_id: str, filters: Filters, most: int) -> list[str]:
    """Returns the ids of up to ``most`` files that the filters leave."""
    listed = statement(_FILTERED_FILES.format(conditions=filtering.filter_conditions(filters)))
    rows = await transaction.execute(listed, filtering.parameters(user_id, filters) | {"most": most})
    return [row.upload_id for row in rows]


@lru_cache(maxsize=256)
def _sample(terms: int, passes: str) -> str:
    return _SAMPLE.format(
        set_word_scope=filtering.SET_WORD_SCOPE,
        after_word_scope=filtering.AFTER_WORD_SCOPE,
        mask=mask(terms),
        best_mask=BEST_MASK.format(of=""),
        passes=passes,
    )
