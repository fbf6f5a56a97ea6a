"""Notes versions of files that no stage has read yet: they cannot be found, and count as being processed."""

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.artifacts import UploadRef
from search.store.statements import statement

_NOTE = """INSERT INTO arrivals (upload_id, user_id, generation) VALUES (:upload_id, :user_id, :generation)
    ON CONFLICT (upload_id) DO UPDATE SET generation = excluded.generation, arrived_at = now()
    WHERE arrivals.generation < excluded.generation"""

SETTLED = "DELETE FROM arrivals WHERE upload_id = :upload_id AND generation <= :generation"
"""Part of the statement that locks a file for any later event of the version."""

# A later event that is handled at the same time may miss the note that it should delete.
COUNT = """SELECT count(*) FROM arrivals a
    WHERE a.user_id = :user_id AND a.arrived_at > now() - CAST(:at_most AS interval)
    AND NOT EXISTS (SELECT FROM files f WHERE f.upload_id = a.upload_id AND f.generation >= a.generation)"""


async def note(session: AsyncSession, upload: UploadRef) -> None:
    """Notes that the version has arrived."""
    key = {"upload_id": upload.upload_id, "user_id": upload.user_id, "generation": upload.generation}
    await session.execute(statement(_NOTE), key)
