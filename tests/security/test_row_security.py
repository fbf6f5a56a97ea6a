"""Row security proven from the catalogue: in every tenant table of both services a query without its WHERE clause sees
and changes only the transaction's own user. A new table is found by itself, and fails until it is protected or listed.
"""

from collections.abc import Awaitable, Callable

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from database.engine import Database

SERVICES = ("upload_gateway", "search")

ASKED_BEFORE_A_TENANT_IS_KNOWN = {
    "upload_gateway": {"users", "api_keys", "stream_tickets"},
    "search": {"principals", "api_keys"},
}
"""Looked up by a secret's hash or by the user's own id, in order to find out who the tenant is."""

OPERATORS_OWN = {"upload_gateway": {"dead_letters", "sweeps", "repairs"}, "search": {"dropped_models"}}
"""What operators keep about everybody's uploads; no route of a user reads it."""

OF_NO_TENANT = {"inbox", "outbox", "alembic_version"}
"""The ledger's own; read by no route."""

WRITTEN_BY_TRIGGERS = {"removed_uploads", "vector_counts", "index_versions"}
"""A deletion in another table may leave a row here."""

USERS = ("ada", "bob")

ServiceDatabase = Callable[[str], Awaitable[Database]]


TABLES = """SELECT c.relname AS name, c.relrowsecurity AS enabled, c.relforcerowsecurity AS forced,
        EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'user_id' AND NOT a.attisdropped)
            AS of_users
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = $1 AND c.relkind IN ('r', 'p') ORDER BY 1"""

COLUMNS = """SELECT a.attname AS name, format_type(a.atttypid, NULL) AS type, a.atttypmod AS size
    FROM pg_attribute a WHERE a.attrelid = $1::regclass AND a.attnum > 0 AND NOT a.attisdropped
        AND a.attgenerated = '' AND a.attidentity = '' AND (a.attnotnull AND NOT a.atthasdef)"""


CHECKS = """SELECT c.conrelid::regclass::text AS name, quote_ident(c.conname) AS check_name FROM pg_constraint c
    WHERE c.connamespace = $1::regnamespace AND c.contype = 'c' AND c.conrelid <> 0"""


@pytest.fixture(params=SERVICES)
def service(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
async def database(service: str, service_database: ServiceDatabase) -> Database:
    return await service_database(service)


@pytest.fixture
async def admin(admin_url: str, database: Database):
    """The superuser, whom row security does not bind: it makes the rows and sees them all."""
    connection = await asyncpg.connect(admin_url.replace("+asyncpg", ""))
    # Rows here are made without what they refer to.
    await connection.execute("SET session_replication_role = replica")
    yield connection
    await connection.close()


async def tenant_tables(admin: asyncpg.Connection, service: str) -> list[str]:
    rows = await admin.fetch(TABLES, service)
    return [row["name"] for row in rows if row["name"] not in listed(service)]


def listed(service: str) -> set[str]:
    return ASKED_BEFORE_A_TENANT_IS_KNOWN[service] | OPERATORS_OWN[service] | OF_NO_TENANT


async def test_every_table_is_protected_or_listed(service: str, admin: asyncpg.Connection) -> None:
    rows = await admin.fetch(TABLES, service)
    unlisted = [r for r in rows if r["name"] not in listed(service)]
    assert [r["name"] for r in unlisted if not (r["enabled"] and r["forced"])] == []
    assert [r["name"] for r in rows if r["name"] in OF_NO_TENANT and r["of_users"]] == []
    assert listed(service) <= {r["name"] for r in rows}, "a listed table is no more"


async def test_the_services_role_cannot_put_row_security_aside(service: str, admin: asyncpg.Connection) -> None:
    role = await admin.fetchrow("SELECT rolsuper, rolbypassrls FROM pg_roles WHERE rolname = $1", service)
    assert dict(role) == {"rolsuper": False, "rolbypassrls": False}


async def test_without_a_where_clause_a_tenant_sees_only_their_rows(
    service: str, database: Database, admin: asyncpg.Connection
) -> None:
    tables = await filled(admin, service)
    for tenant, seen in (*((user, {user}) for user in USERS), ("", set()), ("nobody", set()), ("%", set())):
        async with database.transaction(tenant) as session:
            for table in tables:
                found = set((await session.execute(text(f"SELECT user_id FROM {table}"))).scalars())
                assert found == seen, (table, tenant)


async def test_without_a_where_clause_a_tenant_changes_only_their_rows(
    service: str, database: Database, admin: asyncpg.Connection
) -> None:
    tables = await filled(admin, service)
    before = {table: await rows_of("bob", table, service, admin) for table in tables}
    for statement in ("UPDATE {} SET user_id = user_id", "DELETE FROM {}"):
        for table in tables:
            async with database.transaction("ada") as session:
                await session.execute(text(statement.format(table)))
    assert {table: await rows_of("bob", table, service, admin) for table in tables} == before
    for table in sorted({*tables} - WRITTEN_BY_TRIGGERS):
        assert await rows_of("ada", table, service, admin) == [], table


async def rows_of(user: str, table: str, service: str, admin: asyncpg.Connection) -> list[str]:
    found = await admin.fetch(f"SELECT t::text FROM {service}.{table} t WHERE user_id = $1", user)
    return sorted(row[0] for row in found)


async def test_nobody_gives_a_row_to_another_user(service: str, database: Database, admin: asyncpg.Connection) -> None:
    for table in await filled(admin, service):
        with pytest.raises(DBAPIError, match="row-level security"):
            async with database.transaction("ada") as session:
                await session.execute(text(f"UPDATE {table} SET user_id = 'bob'"))
        with pytest.raises(DBAPIError, match="row-level security"):
            async with database.transaction("ada") as session:
                await session.execute(text(await insertion(admin, service, table, "bob")))


async def test_a_table_without_a_policy_would_be_noticed(
    service: str, database: Database, admin: asyncpg.Connection
) -> None:
    """The proof can fail: the same queries on an unprotected table show both users' rows."""
    await admin.execute(f"CREATE TABLE {service}.forgotten (user_id text NOT NULL)")
    await admin.execute(f"GRANT ALL ON {service}.forgotten TO {service}")
    tables = await filled(admin, service)
    assert "forgotten" in tables
    async with database.transaction("ada") as session:
        assert set((await session.execute(text("SELECT user_id FROM forgotten"))).scalars()) == set(USERS)
    with pytest.raises(AssertionError, match="forgotten"):
        await test_every_table_is_protected_or_listed(service, admin)


async def filled(admin: asyncpg.Connection, service: str) -> list[str]:
    """One row per user in every tenant table; answers their names."""
    tables = await tenant_tables(admin, service)
    for check in await admin.fetch(CHECKS, service):
        await admin.execute(f"ALTER TABLE {check['name']} DROP CONSTRAINT {check['check_name']}")
    for table in tables:
        for user in USERS:
            await admin.execute(await insertion(admin, service, table, user))
    return tables


async def insertion(admin: asyncpg.Connection, service: str, table: str, user: str) -> str:
    """A statement that makes a row of a user, with as little in it as the table allows."""
    needed = [row for row in await admin.fetch(COLUMNS, f"{service}.{table}") if row["name"] != "user_id"]
    columns = ", ".join(["user_id", *(row["name"] for row in needed)])
    values = ", ".join([f"'{user}'", *(_value(row["type"], row["size"], row["name"], user) for row in needed)])
    return f"INSERT INTO {service}.{table} ({columns}) VALUES ({values})"


def _value(kind: str, size: int, name: str, user: str) -> str:
    """Something that fits a column of this type, different for each user where it is text."""
    by_type = {
        "text": f"'{name}-{user}'",
        "boolean": "false",
        "uuid": "gen_random_uuid()",
        "jsonb": "'{}'",
        "text[]": "'{}'",
        "tsvector": "CAST('' AS tsvector)",
        "date": "current_date",
        "bytea": "''",
        "timestamp with time zone": "now()",
        "halfvec": f"CAST(array_fill(1, ARRAY[{size}]) AS halfvec)",
    }
    return by_type.get(kind, "1")
