"""The driver's own way to read: under the same row security, whatever a tenant is called, and honest when away."""

import json
from collections.abc import Mapping

import pytest
from sqlalchemy import text

from database.engine import Database
from database.outages import DatabaseUnavailableError
from database.reading import Prepared
from tests.integration.conftest import ServiceDatabase

EVERYTHING = Prepared("SELECT user_id FROM profiles ORDER BY 1", (), "profiles")


@pytest.fixture
async def database(service_database: ServiceDatabase) -> Database:
    database = await service_database("upload_gateway")
    for user in ("ada", "bob"):
        async with database.transaction(user) as session:
            await session.execute(text(f"INSERT INTO profiles (user_id, preferences) VALUES ('{user}', '{{}}')"))
    return database


async def seen(database: Database, tenant: str) -> list[str]:
    """The same by a transaction of several statements and by the one statement that binds and reads."""
    async with database.reading(tenant) as reading:
        found = [row["user_id"] for row in await reading.rows(EVERYTHING, {})]
    assert [row["user_id"] for row in await database.read(tenant, EVERYTHING, {})] == found
    return found


async def test_a_tenant_sees_only_their_rows_on_the_same_connection(database: Database) -> None:
    assert [await seen(database, tenant) for tenant in ("ada", "bob", "", "ada")] == [["ada"], ["bob"], [], ["ada"]]


@pytest.mark.parametrize(
    "tenant", ["bob' OR '1'='1", "'', true); SELECT set_config('app.user_id', 'bob", "\\' bob", "ü"]
)
async def test_a_tenants_name_is_never_sql(database: Database, tenant: str) -> None:
    assert await seen(database, tenant) == []


async def test_whatever_is_planned_the_tenant_is_bound_before_a_row_is_read(database: Database) -> None:
    plans = Prepared(f"EXPLAIN (FORMAT JSON) {EVERYTHING.bound}", ("tenant",), "profiles")
    async with database.reading("ada") as reading:
        (row,) = await reading.rows(plans, {"tenant": "ada"})
    plan = json.loads(row["QUERY PLAN"])[0]["Plan"]
    binding, asked = plan["Plans"]
    assert plan["Node Type"] == "Nested Loop", plan
    assert (binding["Node Type"], binding["Function Name"]) == ("Function Scan", "set_config")
    assert asked["One-Time Filter"] == "(bound.tenant IS NOT NULL)", "for the row of the binding, or not at all"


async def test_nothing_stays_bound(database: Database) -> None:
    assert await seen(database, "ada") == ["ada"]
    bound = Prepared("SELECT coalesce(current_setting('app.user_id', true), '') AS to", (), "")
    async with database.reading("") as reading:
        assert [row["to"] for row in await reading.rows(bound, {})] == [""]
    assert [row["to"] for row in await database.read("bob", bound, {})] == ["bob"]


async def test_it_cannot_write(database: Database) -> None:
    with pytest.raises(Exception, match="read-only transaction"):
        async with database.reading("ada") as reading:
            await reading.rows(Prepared("DELETE FROM profiles RETURNING 1", (), "profiles"), {})
    assert await seen(database, "ada") == ["ada"]


async def test_a_lost_connection_is_an_outage_and_replaced(database: Database) -> None:
    lost = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'upload_gateway_reading'"
    with pytest.raises(DatabaseUnavailableError):
        await seen_after(lost, database)
    assert await seen(database, "ada") == ["ada"]


async def seen_after(statement: str, database: Database) -> list[Mapping[str, object]]:
    async with database.reading("ada") as reading:
        async with database.transaction() as session:
            assert (await session.execute(text(statement))).all() == [(True,)]
        return await reading.rows(EVERYTHING, {})


async def test_nobody_there_is_an_outage() -> None:
    async with Database("postgresql+asyncpg://nobody@127.0.0.1:1/none", "upload_gateway") as absent:
        with pytest.raises(DatabaseUnavailableError):
            await seen(absent, "ada")
