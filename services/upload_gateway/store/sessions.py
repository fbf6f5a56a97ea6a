"""Queries on resumable upload sessions: where the bytes of a pending upload may still be sent."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from upload_gateway.tables import upload_sessions


@dataclass(frozen=True)
class SessionRow:
    """A session of the storage service. Whoever knows ``session_url`` may write the one object it was opened for."""

    upload_id: str
    user_id: str
    session_url: str
    expires_at: datetime


async def add(session: AsyncSession, row: SessionRow) -> None:
    """Keeps a session; the upload's row must be there already."""
    await session.execute(insert(upload_sessions).values(**vars(row)))


async def find(session: AsyncSession, user_id: str, upload_id: str) -> SessionRow | None:
    """The session of a user's upload."""
    statement = select(upload_sessions).where(
        upload_sessions.c.user_id == user_id, upload_sessions.c.upload_id == upload_id
    )
    found = (await session.execute(statement)).mappings().first()
    return SessionRow(**found) if found else None


async def remove(session: AsyncSession, upload_id: str) -> None:
    """Forgets the tenant's session of this upload, if there is one."""
    await session.execute(delete(upload_sessions).where(upload_sessions.c.upload_id == upload_id))
