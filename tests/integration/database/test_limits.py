"""A statement that takes too long says so, whoever asked it: an event is tried again, a request gets a 503."""

import pytest
from sqlalchemy import text

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


async def test_what_takes_too_long_says_so(service_database: ServiceDatabase) -> None:
    database = await service_database("search")
    for slow in (by_session, by_driver):
        with pytest.raises(DatabaseTooSlowError):
            await slow(database)


async def test_every_connection_has_a_limit(service_database: ServiceDatabase) -> None:
    database = await service_database("search")
    async with database.transaction("ada") as session:
        assert await session.scalar(_LIMIT) == "2min"
    async with database.reading("ada") as reading:
        assert (await reading.execute(_LIMIT, {})).one().kept == "2min"
