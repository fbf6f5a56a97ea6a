"""The words of a user's file names, with which a misspelt word of a query is compared."""

from collections.abc import Collection, Iterable

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.artifacts import UploadRef
from search.relaxation import inside
from search.store.statements import Transaction, statement

MOST_CANDIDATES = 5000
"""Words compared at most; of a user with more, some misspellings are not corrected."""

_FORGET = "DELETE FROM file_name_words WHERE upload_id = :upload_id"

_WRITE = """INSERT INTO file_name_words (user_id, word, upload_id)
    SELECT :user_id, w.word, :upload_id FROM unnest(CAST(:words AS text[])) AS w(word) ON CONFLICT DO NOTHING"""

# Only words with the same first letter: a range of the primary key.
_SIMILAR = """(SELECT n.word, count(DISTINCT n.upload_id) AS files
    FROM unnest(CAST(:firsts AS text[]), CAST(:nexts AS text[]), CAST(:shortest AS int[]), CAST(:longest AS int[]))
        AS q(first, next, shortest, longest)
    JOIN file_name_words n ON n.user_id = :user_id AND n.word >= q.first AND n.word < q.next
        AND length(n.word) BETWEEN q.shortest AND q.longest
    GROUP BY n.word ORDER BY n.word LIMIT :most)
    UNION ALL SELECT n.word, count(*) FROM file_name_words n
    WHERE n.user_id = :user_id AND n.word = ANY(CAST(:inside AS text[])) GROUP BY n.word"""


async def replace(session: AsyncSession, upload: UploadRef, words: Iterable[str]) -> None:
    """Replaces the words of a file's name."""
    await forget(session, upload)
    values = {"user_id": upload.user_id, "upload_id": upload.upload_id, "words": sorted(set(words))}
    await session.execute(statement(_WRITE), values)


async def forget(session: AsyncSession, upload: UploadRef) -> None:
    """Deletes the words of a file's name."""
    await session.execute(statement(_FORGET), {"upload_id": upload.upload_id})


async def similar_words(transaction: Transaction, user_id: str, words: Collection[str], reach: int) -> dict[str, int]:
    """Returns words of the user's file names, and how many files have them in their name: those with the first letter
    of one of ``words`` and at most ``reach`` letters more or less, and those that are part of one of ``words``.
    """
    searched = sorted(words)
    values = {
        "user_id": user_id,
        "firsts": [word[0] for word in searched],
        "nexts": [chr(ord(word[0]) + 1) for word in searched],
        "shortest": [len(word) - reach for word in searched],
        "longest": [len(word) + reach for word in searched],
        "most": MOST_CANDIDATES,
        "inside": sorted(set[str]().union(*map(inside, searched))),
    }
    return {row.word: row.files for row in await transaction.execute(statement(_SIMILAR), values)}
