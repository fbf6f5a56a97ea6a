"""Reads the text of one file in the order of the file."""

from collections.abc import Sequence
from typing import NamedTuple

from search.store.filtering import VISIBLE
from search.store.statements import Transaction, statement

# Every model's passages hold the same text; '' are those of the analysis, which stand in until there are some.
_PASSAGES = f"""SELECT p.ordinal, p.text, p.source, p.page, p.start_s, p.end_s, p.section, p.overlap, p.cues
    FROM files f LEFT JOIN LATERAL (
        SELECT * FROM passages p WHERE p.user_id = f.user_id AND p.upload_id = f.upload_id AND p.model_id = (
            SELECT m.model_id FROM passages m WHERE m.user_id = f.user_id AND m.upload_id = f.upload_id
            ORDER BY m.model_id DESC LIMIT 1)
        AND p.source NOT IN ('summary', 'metadata') AND p.ordinal > :after
        ORDER BY p.ordinal LIMIT :limit) p ON true
    WHERE {VISIBLE} AND f.upload_id = :upload_id ORDER BY p.ordinal"""  # noqa: S608 - constants only


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

    None if the user has no such file.
    """
    values = {"user_id": user_id, "upload_id": upload_id, "after": after, "limit": limit}
    rows = (await transaction.execute(statement(_PASSAGES), values)).all()
    return [StoredPassage(*row) for row in rows if row.ordinal is not None] if rows else None
