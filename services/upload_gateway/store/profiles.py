"""Queries on what users chose to be called and how they like things shown."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from upload_gateway.tables import profiles


@dataclass(frozen=True)
class ProfileRow:
    """A user's own settings; ``preferences`` as they were validated when written."""

    display_name: str | None
    preferences: dict[str, Any]


async def find(session: AsyncSession, user_id: str) -> ProfileRow:
    """What the user has set; nothing for one who never has."""
    statement = select(profiles.c.display_name, profiles.c.preferences).where(profiles.c.user_id == user_id)
    found = (await session.execute(statement)).mappings().first()
    return ProfileRow(**found) if found else ProfileRow(None, {})


async def set_display_name(session: AsyncSession, user_id: str, display_name: str | None) -> None:
    """Sets or clears the name."""
    row = insert(profiles).values(user_id=user_id, display_name=display_name, preferences={})
    await session.execute(row.on_conflict_do_update(index_elements=["user_id"], set_={"display_name": display_name}))


async def set_preferences(session: AsyncSession, user_id: str, preferences: dict[str, Any]) -> None:
    """Replaces the preferences."""
    row = insert(profiles).values(user_id=user_id, preferences=preferences)
    await session.execute(row.on_conflict_do_update(index_elements=["user_id"], set_={"preferences": preferences}))
