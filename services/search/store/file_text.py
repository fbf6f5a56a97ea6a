"""Reads the text of one file in the order of the file."""

from collections.abc import Sequence
from typing import NamedTuple

from search.store.filtering import VISIBLE
from search.store.statements import Transaction, statement

# The latest run's passages, whichever model's: of one run they hold the same text. '' are those of the analysis, which
# stand in until a model has some.
_LATEST = """SELECT held.model_id FROM (
        SELECT s.model_id, s.run FROM passage_sets s WHERE s.user_id = f.user_id AND s.upload_id = f.upload_id
        UNION ALL SELECT '', f.analyzed_run WHERE EXISTS (
            SELECT FROM passages a WHERE a.user_id = f.user_id AND a.upload_id = f.upload_id AND a.model_id = '')) held
    ORDER BY held.run DESC, held.model_id DESC LIMIT 1"""

_PASSAGES = f"""SELECT p.ordinal, p.text, p.source, p.page, p.start_s, p.end_s, p.section, p.overlap, p.cues
    FROM files f LEFT JOIN LATERAL (
        SELECT * FROM passages p WHERE p.user_id = f.user_id AND p.upload_id = f.upload_id AND p.model_id = ({_LATEST})
        AND p.source NOT IN ('summary', 'metadata') AND p.ordinal > :after
        ORDER BY p.ordinal LIMIT :limit) p ON true
    WHERE {VISIBLE} AND f.analyzed_run IS NOT NULL AND f.upload_id = :upload_id
    ORDER BY p.ordinal"""  # noqa: S608 - constants only


class StoredPassage(NamedTuple):
    """A passage with its place. ``overlap``: how many code points of its beginning the one before ends with; ``cues``
    are (code point of ``text``, second) of the lines it was joined from.
    """

    ordinal: int
    text: str
    source: str
    page: int | None = None
    start_s: float | None = None
    end_s: float | None = None
    section: str | None = None
    overlap: int = 0
    cues: Sequence[tuple[int, float]] | None = None


async def passages_of(
    transaction: Transaction, user_id: str, upload_id: str, *, after: int, limit: int
) -> Sequence[StoredPassage] | None:
    """Returns up to ``limit`` passages of what is written or said in a file, those behind the ordinal ``after``.

    None if the user has no such file, or if it has not been analysed yet.
    """
    values = {"user_id": user_id, "upload_id": upload_id, "after": after, "limit": limit}
    rows = (await transaction.execute(statement(_PASSAGES), values)).all()
    return [StoredPassage(*row) for row in rows if row.ordinal is not None] if rows else None
