"""Numbers the states of each user's index, so that an outdated cached answer can be recognized."""

from sqlalchemy.ext.asyncio import AsyncSession

from search.store.statements import statement

_BUMP = """INSERT INTO index_versions (user_id, version) VALUES (:user_id, 1)
    ON CONFLICT (user_id) DO UPDATE SET version = index_versions.version + 1"""


async def bump(session: AsyncSession, user_id: str) -> None:
    """Increments the version of a user's index.

    Call it last in a transaction: other changes of the user's index wait from here until it ends.
    """
    await session.execute(statement(_BUMP), {"user_id": user_id})
