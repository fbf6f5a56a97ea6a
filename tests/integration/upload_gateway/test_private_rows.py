"""Sessions, keys, counters, profiles and removed versions are their owner's alone, whatever a query asks for."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from contracts.events import ObjectDeletedV1
from tests.integration.upload_gateway.conftest import Gateway
from tests.integration.upload_gateway.events import dropped, walk

TABLES = ("upload_sessions", "idempotency_keys", "daily_uploads", "profiles", "removed_versions")
FORGED = (
    "INSERT INTO idempotency_keys VALUES ('someone', '', 'x', uuidv7(), now(), '', '{}', now())",
    "INSERT INTO daily_uploads VALUES ('someone', '2020-01-01', 1)",
    "INSERT INTO profiles VALUES ('someone', 'x', '{}')",
    "INSERT INTO removed_versions VALUES ('u', 1, 0, 'someone', 'b', 'o', now())",
)


@pytest.fixture
async def filled(gateway: Gateway) -> Gateway:
    wish = {"filename": "a.jpg", "size": 9}
    assert (await gateway.post("/upload/sessions", json=wish, headers={"Idempotency-Key": "k"})).status_code == 201
    await gateway.client.put("/api/v1/users/me", headers=gateway.headers(), json={"display_name": "Ada"})
    upload = dropped("someone/b.jpg")
    await gateway.hear(*walk(upload), ObjectDeletedV1(upload=upload))
    return gateway


async def test_no_query_shows_or_touches_anothers_rows(filled: Gateway) -> None:
    for table in TABLES:
        for tenant, seen in (("someone", 1), ("another", 0), ("", 0)):
            async with filled.database.transaction(tenant) as session:
                assert await session.scalar(text(f"SELECT count(*) FROM {table}")) == seen, (table, tenant)
        async with filled.database.transaction("another") as session:
            assert (await session.execute(text(f"DELETE FROM {table} RETURNING 1"))).all() == []
        async with filled.database.transaction("someone") as session:
            assert await session.scalar(text(f"SELECT count(*) FROM {table}")) == 1


async def test_nobody_writes_rows_for_another(filled: Gateway) -> None:
    for statement in FORGED:
        with pytest.raises(DBAPIError, match="row-level security"):
            async with filled.database.transaction("another") as session:
                await session.execute(text(statement))
