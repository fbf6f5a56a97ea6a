"""What the user's pictures and films look like, and which of them look like a given one."""

from dataclasses import dataclass

from search.request import Filters
from search.store import filtering
from search.store.statements import Asking, statement

_ALIKE = """SELECT upload_id, differing FROM (
    SELECT f.upload_id, bit_count(CAST(f.look # CAST(:look AS bigint) AS bit(64))) AS differing
    FROM files f WHERE f.look IS NOT NULL AND {wanted}) AS compared
    WHERE differing <= :most ORDER BY differing, upload_id LIMIT :limit"""


@dataclass(frozen=True)
class Lookalike:
    """A file, and in how many of 64 bits it looks different."""

    upload_id: str
    differing: int


async def alike(asking: Asking, user_id: str, filters: Filters, look: int, most: int, limit: int) -> list[Lookalike]:
    """The files that look most alike first, none that differs in more than ``most`` bits."""
    values = {"look": look, "most": most, "limit": limit}
    compared = statement(_ALIKE.format(wanted=filtering.wanted_files(filters)))
    rows = await asking.execute(compared, filtering.parameters(user_id, filters) | values)
    return [Lookalike(row.upload_id, row.differing) for row in rows]
