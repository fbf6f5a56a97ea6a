"""Connections lost in the pool are replaced before anybody meets them; a tenant holds for one transaction."""

import asyncio

import asyncpg
import numpy as np
import pytest
from sqlalchemy import event, text

from database import engine as engines
from database.engine import Database
from hosting.settings import DatabaseSettings
from search import halfvec
from tests.integration.conftest import ServiceDatabase


async def test_a_connection_the_server_closed_is_replaced_before_it_is_used(
    service_database: ServiceDatabase, admin_url: str
) -> None:
    database = await service_database("search")
    await asyncio.gather(*(_pid(database) for _ in range(3)))
    administrator = await asyncpg.connect(admin_url.replace("+asyncpg", ""))
    try:
        await administrator.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'search'")
    finally:
        await administrator.close()
    await asyncio.sleep(0.05)  # the sockets' ends are read by the loop

    assert len(await asyncio.gather(*(_pid(database) for _ in range(3)))) == 3


async def test_what_lay_long_is_asked_for_a_sign_of_life(
    service_database: ServiceDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = await service_database("search")
    asked: list[bool] = []
    dialect = database.engine.dialect
    ping = dialect.do_ping
    monkeypatch.setattr(dialect, "do_ping", lambda connection: asked.append(True) or ping(connection))
    await _pid(database)
    await _pid(database)
    assert asked == []

    monkeypatch.setattr(engines, "_DOUBTFUL_AFTER_S", -1.0)
    await _pid(database)
    assert asked == [True]


async def test_a_transaction_costs_begin_tenant_and_commit(service_database: ServiceDatabase) -> None:
    database = await service_database("search")
    statements: list[str] = []
    event.listen(
        database.engine.sync_engine, "before_cursor_execute", lambda *arguments: statements.append(arguments[2])
    )
    assert await _tenant(database, "ann") == "ann"
    assert await _tenant(database, "bob") == "bob"
    assert len(statements) == 4


async def test_a_pools_size_is_all_it_opens_for_sessions_and_for_reading(
    service_database: ServiceDatabase, admin_url: str
) -> None:
    url = (await service_database("search")).engine.url.render_as_string(hide_password=False)
    async with Database(url, "search", pool_size=5) as database:
        await asyncio.gather(*(_busy(database) for _ in range(12)), *(_busy_reading(database) for _ in range(12)))
        async with database.transaction() as session:
            counted = await session.execute(
                text(
                    "SELECT application_name, count(*) AS connections FROM pg_stat_activity "
                    "WHERE datname = current_database() AND application_name LIKE 'search%' GROUP BY 1"
                )
            )
            opened = {row.application_name: row.connections for row in counted}
    assert opened == {"search": 3, "search_reading": 2}


async def test_binary_types_are_bytes_for_sessions_and_for_reading(service_database: ServiceDatabase) -> None:
    database = await service_database("search")
    (vector,) = halfvec.packed(np.array([[3.0, 4.0]]))
    asked = text(
        "SELECT CAST(:one AS halfvec) AS one, CAST(:many AS halfvec[]) AS many, "
        "CAST(CAST(:one AS halfvec) AS text) AS read"
    )
    values = {"one": vector, "many": [vector, vector]}
    async with database.transaction() as session:
        by_session = (await session.execute(asked, values)).one()
    async with database.reading("ann") as reading:
        by_reading = (await reading.execute(asked, values)).one()
    assert tuple(by_session) == tuple(by_reading) == (vector, [vector, vector], "[0.60009766,0.7998047]")


def test_the_settings_speak_of_the_same_number() -> None:
    assert DatabaseSettings.model_fields["database_pool_size"].default == engines.CONNECTIONS


async def _busy(database: Database) -> None:
    async with database.transaction() as session:
        await session.execute(text("SELECT pg_sleep(0.02)"))


async def _busy_reading(database: Database) -> None:
    async with database.reading("ann") as reading:
        await reading.execute(text("SELECT pg_sleep(0.02)"), {})


async def _pid(database: Database) -> int:
    async with database.transaction() as session:
        return int(await session.scalar(text("SELECT pg_backend_pid()")) or 0)


async def _tenant(database: Database, user_id: str) -> str:
    async with database.transaction(user_id) as session:
        return str(await session.scalar(text("SELECT current_setting('app.user_id')")))
