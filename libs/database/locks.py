"""A lock that one process at a time has, on a connection of its own.

It lasts as long as the connection: of whoever is killed or cut off nothing stays behind.
"""

import hashlib
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from typing import Any

from database.driver import CONNECT_S, connect
from database.outages import DatabaseUnavailableError, outages_told


@asynccontextmanager
async def alone(url: str, application_name: str, name: str) -> AsyncGenerator[bool, None]:
    """True while nobody else has the lock called ``name``; False when somebody has. ``DatabaseUnavailableError``."""
    with outages_told():
        connection = await connect(url, application_name, command_timeout=CONNECT_S)
    try:
        with outages_told():
            taken = bool(await connection.fetchval("SELECT pg_try_advisory_lock($1)", _key(name)))
        yield taken
    finally:
        await _let_go(connection)


async def _let_go(connection: Any) -> None:
    """At once: the server sees the end of a connection only a moment after it."""
    try:
        with suppress(DatabaseUnavailableError), outages_told():
            await connection.execute("SELECT pg_advisory_unlock_all()")
            await connection.close(timeout=CONNECT_S)
    finally:
        connection.terminate()


def _key(name: str) -> int:
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)
