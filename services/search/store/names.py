"""The words of a user's file names: what a misspelt name in a query is compared with."""

from collections.abc import Collection, Iterable

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.artifacts import UploadRef
from search.relaxation import inside
from search.store.statements import Asking, statement

MOST_CANDIDATES = 5000
"""Words compared at most; beyond, some misspellings stay misspellings."""

_FORGET = "DELETE FROM file_name_words WHERE upload_id = :upload_id"

_WRITE = """INSERT INTO file_name_words (user_id, word, upload_id)
    SELECT :user_id, w.word, :upload_id FROM unnest(CAST(:words AS text[])) AS w(word) ON CONFLICT DO NOTHING"""

# Only words that begin alike: a range of the key.
_ALIKE = """(SELECT DISTINCT n.word
    FROM unnest(CAST(:firsts AS text[]), CAST(:nexts AS text[]), CAST(:shortest AS int[]), CAST(:longest AS int[]))
        AS q(first, next, shortest, longest)
    JOIN file_name_words n ON n.user_id = :user_id AND n.word >= q.first AND n.word < q.next
        AND length(n.word) BETWEEN q.shortest AND q.longest
    ORDER BY n.word LIMIT :most)
    UNION SELECT n.word FROM file_name_words n WHERE n.user_id = :user_id AND n.word = ANY(CAST(:inside AS text[]))"""


async def replace(session: AsyncSession, upload: UploadRef, words: Iterable[str]) -> None:
    """The words of the file's name take the place of those of an earlier one."""
    await forget(session, upload)
    values = {"user_id": upload.user_id, "upload_id": upload.upload_id, "words": sorted(set(words))}
    await session.execute(statement(_WRITE), values)


async def forget(session: AsyncSession, upload: UploadRef) -> None:
    """The file's name is gone."""
    await session.execute(statement(_FORGET), {"upload_id": upload.upload_id})


async def alike(asking: Asking, user_id: str, words: Collection[str], reach: int) -> list[str]:
    """Words of the user's file names with the first letter of one of ``words``, at most ``reach`` longer or shorter,
    and those of which one is made.
    """
    sought = sorted(words)
    values = {
        "user_id": user_id,
        "firsts": [word[0] for word in sought],
        "nexts": [chr(ord(word[0]) + 1) for word in sought],
        "shortest": [len(word) - reach for word in sought],
        "longest": [len(word) + reach for word in sought],
        "most": MOST_CANDIDATES,
        "inside": sorted(set[str]().union(*map(inside, sought))),
    }
    return [row.word for row in await asking.execute(statement(_ALIKE), values)]
