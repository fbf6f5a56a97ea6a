"""Knows from the server which connections wait for a lock, so that a test need not guess how long that takes."""

import asyncio
from collections.abc import Sequence

from sqlalchemy import text

from database.engine import Database

_WAITING = text("SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")


async def until_one_waits(database: Database) -> None:
    """Until a statement of this role waits for what another one holds."""
    await until_waiting(database, 1)


async def until_waiting(database: Database, connections: int) -> Sequence[int]:
    """Until so many connections wait for what others hold; their processes."""
    async with asyncio.timeout(20):
        while True:
            async with database.transaction() as session:
                found = (await session.scalars(_WAITING)).all()
            if len(found) >= connections:
                return found
            await asyncio.sleep(0.01)


async def cut_off_who_waits(database: Database) -> None:
    """The server ends the connections that wait for a lock, once there is one."""
    processes = await until_waiting(database, 1)
    async with database.transaction() as session:
        for pid in processes:
            await session.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
