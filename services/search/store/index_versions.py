"""Numbers the states of each user's index, so that an answer kept can be told from one that is out of date."""

from sqlalchemy.ext.asyncio import AsyncSession

from search.store.statements import statement

_BUMP = """INSERT INTO index_versions (user_id, version) VALUES (:user_id, 1)
    ON CONFLICT (user_id) DO UPDATE SET version = index_versions.version + 1"""


async def bump(session: AsyncSession, user_id: str) -> None:
    """To be called last in a transaction: the user's other changes wait from here until it ends."""
    await session.execute(statement(_BUMP), {"user_id": user_id})
