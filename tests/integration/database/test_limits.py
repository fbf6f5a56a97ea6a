"""A statement that takes too long says so, whoever asked it: an event is tried again, a request gets a 503."""

import asyncio

import pytest
from sqlalchemy import text

from database import engine
from database.engine import Database
from database.outages import DatabaseTooSlowError
from tests.integration.conftest import ServiceDatabase

_IMPATIENT = text("SELECT set_config('statement_timeout', '20', true)")
_SLOW = text("SELECT pg_sleep(30)")
_LIMIT = text("SELECT current_setting('statement_timeout') AS kept")


async def by_session(database: Database) -> None:
    async with database.transaction("ada") as session:
        await session.execute(_IMPATIENT)
        await session.execute(_SLOW)


async def by_driver(database: Database) -> None:
    async with database.reading("ada") as reading:
        await reading.execute(_IMPATIENT, {})
        await reading.execute(_SLOW, {})


async def left_idle(database: Database) -> None:
    async with database.transaction("ada") as session:
        await session.execute(text("SET LOCAL idle_in_transaction_session_timeout = 50"))
        await asyncio.sleep(0.5)
        await session.execute(text("SELECT 1"))


async def test_what_takes_too_long_says_so(service_database: ServiceDatabase) -> None:
    database = await service_database("search")
    for slow in (by_session, by_driver):
        with pytest.raises(DatabaseTooSlowError):
            await slow(database)


async def test_a_transaction_that_was_left_idle_is_no_outage(
    service_database: ServiceDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A handler that computes for minutes inside its transaction has used up an attempt; nothing is waited for."""
    monkeypatch.setattr(engine, "IDLE_S", 0.05)
    with pytest.raises(DatabaseTooSlowError):
        await left_idle(await service_database("search"))


async def test_every_connection_has_a_limit(service_database: ServiceDatabase) -> None:
    database = await service_database("search")
    async with database.transaction("ada") as session:
        assert await session.scalar(_LIMIT) == "2min"
    async with database.reading("ada") as reading:
        assert (await reading.execute(_LIMIT, {})).one().kept == "2min"
