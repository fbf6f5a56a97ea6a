"""Finds the user's pictures and films whose image hash is near a given one."""

from dataclasses import dataclass

from search.request import Filters
from search.store import filtering
from search.store.statements import Transaction, statement

_SIMILAR = """SELECT upload_id, differing FROM (
    SELECT f.upload_id, bit_count(CAST(f.look # CAST(:look AS bigint) AS bit(64))) AS differing
    FROM files f WHERE f.look IS NOT NULL AND {conditions}) AS compared
    WHERE differing <= :most ORDER BY differing, upload_id LIMIT :limit"""


@dataclass(frozen=True)
class SimilarImage:
    """A file, and in how many of 64 bits its image hash differs."""

    upload_id: str
    differing: int


async def similar(
    transaction: Transaction, user_id: str, filters: Filters, image_hash: int, most: int, limit: int
) -> list[SimilarImage]:
    """Returns up to ``limit`` files whose hash differs from ``image_hash`` in at most ``most`` bits, fewest first."""
    values = {"look": image_hash, "most": most, "limit": limit}
    compared = statement(_SIMILAR.format(conditions=filtering.filter_conditions(filters)))
    rows = await transaction.execute(compared, filtering.parameters(user_id, filters) | values)
    return [SimilarImage(row.upload_id, row.differing) for row in rows]
