"""A statement that takes too long is an outage, whoever asked it: events wait for better times, requests get a 503."""

import pytest
from sqlalchemy import text

from database.outages import DatabaseUnavailableError
from tests.integration.conftest import ServiceDatabase


async def test_a_session_statement_that_takes_too_long_is_an_outage(service_database: ServiceDatabase) -> None:
    database = await service_database("search")
    with pytest.raises(DatabaseUnavailableError):
        async with database.transaction("ada") as session:
            await session.execute(text("SET LOCAL statement_timeout = 20"))
            await session.execute(text("SELECT pg_sleep(30)"))
    async with database.transaction("ada") as session:
        assert await session.scalar(text("SELECT current_setting('statement_timeout')")) == "2min"


async def test_so_is_one_by_the_driver(service_database: ServiceDatabase) -> None:
    database = await service_database("search")
    with pytest.raises(DatabaseUnavailableError):
        async with database.reading("ada") as reading:
            await reading.execute(text("SELECT set_config('statement_timeout', '20', true)"), {})
            await reading.execute(text("SELECT pg_sleep(30)"), {})
    async with database.reading("ada") as reading:
        found = await reading.execute(text("SELECT current_setting('statement_timeout') AS limit"), {})
        assert found.one().limit == "2min"
