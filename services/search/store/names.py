"""The words of a user's file names, each once: what a misspelt name in a query is compared with."""

from collections.abc import Collection, Iterable

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.artifacts import UploadRef
from search.store.statements import Asking, statement

MOST_CANDIDATES = 5000
"""Words compared at most; beyond, some misspellings stay misspellings."""

# Words are locked in one order everywhere, so that transactions of one user wait for each other but never in a ring.
_FORGET = """WITH gone AS (DELETE FROM file_name_words WHERE upload_id = :upload_id RETURNING user_id, word),
    unused AS (SELECT v.user_id, v.word FROM name_vocabulary v JOIN gone USING (user_id, word)
        WHERE NOT EXISTS (SELECT FROM file_name_words n
            WHERE n.user_id = v.user_id AND n.word = v.word AND n.upload_id <> :upload_id)
        ORDER BY v.user_id, v.word FOR UPDATE OF v)
    DELETE FROM name_vocabulary v USING unused u WHERE v.user_id = u.user_id AND v.word = u.word"""

_WRITE = """WITH written AS (INSERT INTO file_name_words (user_id, word, upload_id)
        SELECT :user_id, w.word, :upload_id FROM unnest(CAST(:words AS text[])) AS w(word) ON CONFLICT DO NOTHING)
    INSERT INTO name_vocabulary (user_id, word)
    SELECT :user_id, w.word FROM unnest(CAST(:words AS text[])) AS w(word) ORDER BY w.word COLLATE "C"
    ON CONFLICT DO NOTHING"""

# Only words that begin alike: a range of the key.
_ALIKE = """SELECT DISTINCT v.word
    FROM unnest(CAST(:firsts AS text[]), CAST(:nexts AS text[]), CAST(:shortest AS int[]), CAST(:longest AS int[]))
        AS q(first, next, shortest, longest)
    JOIN name_vocabulary v ON v.user_id = :user_id AND v.word >= q.first AND v.word < q.next
        AND length(v.word) BETWEEN q.shortest AND q.longest
    ORDER BY v.word LIMIT :most"""


async def replace(session: AsyncSession, upload: UploadRef, words: Iterable[str]) -> None:
    """The words of the file's name take the place of those of an earlier one."""
    await forget(session, upload)
    values = {"user_id": upload.user_id, "upload_id": upload.upload_id, "words": sorted(set(words))}
    await session.execute(statement(_WRITE), values)


async def forget(session: AsyncSession, upload: UploadRef) -> None:
    """The file's name is gone."""
    await session.execute(statement(_FORGET), {"upload_id": upload.upload_id})


async def alike(asking: Asking, user_id: str, words: Collection[str], reach: int) -> list[str]:
    """Words of the user's file names with the first letter of one of ``words``, at most ``reach`` longer or shorter."""
    sought = sorted(words)
    values = {
        "user_id": user_id,
        "firsts": [word[0] for word in sought],
        "nexts": [chr(ord(word[0]) + 1) for word in sought],
        "shortest": [len(word) - reach for word in sought],
        "longest": [len(word) + reach for word in sought],
        "most": MOST_CANDIDATES,
    }
    return [row.word for row in await asking.execute(statement(_ALIKE), values)]
