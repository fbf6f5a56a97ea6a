"""Looks at what a sample of a large tenant's files holds of a query, and at how many files the filters leave."""

from collections.abc import Sequence
from functools import lru_cache

from search.request import Filters
from search.store import filtering
from search.store.sought import BEST_MASK, Sought, mask, mask_parameters
from search.store.statements import Asking, statement
from search.thresholds import Sample, Seen

_SAMPLE = """WITH {seeking}, matching AS MATERIALIZED (
    SELECT w.upload_id, {mask} AS mask FROM words w WHERE w.user_id = :user_id AND {sought}),
file AS (SELECT upload_id, bit_or(mask) AS mask, {best_mask} AS best FROM matching WHERE mask <> 0 GROUP BY upload_id)
SELECT s.mask, s.best, count(*) AS files, count(*) FILTER (WHERE {passes}) AS wanted FROM file s GROUP BY 1, 2"""

_PASSES = "EXISTS (SELECT FROM files f WHERE f.upload_id = s.upload_id AND {wanted})"

_WANTED = "SELECT f.upload_id FROM files f WHERE {wanted} LIMIT :most"


async def sample(
    asking: Asking, user_id: str, filters: Filters, terms: Sequence[Sought], *, one_in: int, files: int
) -> Sample:
    """What one in so many of a tenant's ``files`` holds."""
    # Nearly every file is shown: not worth asking each whether it is.
    passes = _PASSES.format(wanted=filtering.wanted_files(filters)) if filtering.chooses(filters) else "true"
    values = filtering.parameters(user_id, filters) | mask_parameters(terms)
    values |= filtering.sought([term.tsquery for term in terms], one_in)
    rows = await asking.execute(statement(_sample(len(terms), passes)), values)
    return Sample(one_in, files, [Seen(row.mask, row.best, row.files, row.wanted) for row in rows])


async def wanted(asking: Asking, user_id: str, filters: Filters, most: int) -> list[str]:
    """Up to ``most`` of the files that the filters leave."""
    listed = statement(_WANTED.format(wanted=filtering.wanted_files(filters)))
    rows = await asking.execute(listed, filtering.parameters(user_id, filters) | {"most": most})
    return [row.upload_id for row in rows]


@lru_cache(maxsize=256)
def _sample(terms: int, passes: str) -> str:
    return _SAMPLE.format(
        seeking=filtering.SEEKING,
        sought=filtering.SOUGHT,
        mask=mask(terms),
        best_mask=BEST_MASK.format(of=""),
        passes=passes,
    )
