"""Knows from the server when a statement waits for a lock, so that a test need not guess how long that takes."""

import asyncio

from sqlalchemy import text

from database.engine import Database

_WAITING = text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")


async def until_one_waits(database: Database) -> None:
    """Until a statement of this role waits for what another one holds."""
    async with asyncio.timeout(20):
        while True:
            async with database.transaction() as session:
                if await session.scalar(_WAITING):
                    return
            await asyncio.sleep(0.01)
