"""The pool of the reads on a real server: how many it opens, whom it lends which, and what it never lends again."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

from database import pool as pools
from database.pool import Pool

SIZE = 2


@pytest.fixture
async def server(admin_url: str) -> AsyncIterator[tuple[str, Any]]:
    """Its address, and a connection that sees what others do."""
    url = admin_url.replace("+asyncpg", "")
    watching = await asyncpg.connect(url)
    yield url, watching
    await watching.close()


@pytest.fixture
async def pool(server: tuple[str, Any]) -> AsyncIterator[Pool]:
    url, _ = server
    pool = Pool(lambda: asyncpg.connect(url, server_settings={"application_name": "lent"}), SIZE)
    yield pool
    await pool.close()


async def lent(server: tuple[str, Any], states: str = "%") -> list[int]:
    """Process ids of the pool's connections that the server knows, in one of the ``states``."""
    asked = "SELECT pid FROM pg_stat_activity WHERE application_name = 'lent' AND state LIKE $1 ORDER BY pid"
    return [row["pid"] for row in await server[1].fetch(asked, states)]


async def until(server: tuple[str, Any], count: int, states: str = "%") -> None:
    async with asyncio.timeout(10):
        while len(await lent(server, states)) != count:
            await asyncio.sleep(0.01)


async def pid(pool: Pool, *, for_s: float = 0.0) -> int:
    async with pool.borrowed() as connection:
        await asyncio.sleep(for_s)
        return await connection.fetchval("SELECT pg_backend_pid()")


async def test_one_after_the_other_are_served_by_one_connection(pool: Pool, server: tuple[str, Any]) -> None:
    assert {await pid(pool) for _ in range(5)} == set(await lent(server))


async def test_many_at_once_share_as_many_as_there_may_be(pool: Pool, server: tuple[str, Any]) -> None:
    served = await asyncio.gather(*(pid(pool, for_s=0.01) for _ in range(20)))
    assert sorted(set(served)) == await lent(server)
    assert len(set(served)) == SIZE


async def test_who_waits_too_long_is_told(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pools, "_WAIT_S", 0.05)
    async with pool.borrowed(), pool.borrowed():
        with pytest.raises(TimeoutError):
            await pid(pool)
    assert await pid(pool), "who gave up holds no place"


async def test_what_the_server_refuses_costs_no_connection(pool: Pool) -> None:
    before = await pid(pool)
    with pytest.raises(asyncpg.PostgresSyntaxError):
        async with pool.borrowed() as connection:
            await connection.fetch("SELEC 1")
    assert await pid(pool) == before


async def test_a_transaction_left_open_is_not_lent_to_the_next(pool: Pool, server: tuple[str, Any]) -> None:
    with pytest.raises(asyncpg.DivisionByZeroError):
        async with pool.borrowed() as connection:
            await connection.execute("BEGIN; SELECT 1/0")
    async with pool.borrowed() as connection:
        assert not connection.is_in_transaction()
    await until(server, 1)


async def test_a_cancelled_statement_ends_at_the_server_with_its_connection(
    pool: Pool, server: tuple[str, Any]
) -> None:
    async def patient() -> None:
        async with pool.borrowed() as connection:
            await connection.execute("SELECT pg_sleep(60)")

    asked = asyncio.create_task(patient())
    await until(server, 1, "active")
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    await until(server, 0)
    assert len({await pid(pool) for _ in range(3)}) == 1


async def test_a_connection_lost_while_nobody_used_it_is_replaced(pool: Pool, server: tuple[str, Any]) -> None:
    before = await pid(pool)
    await server[1].execute("SELECT pg_terminate_backend($1)", before)
    await asyncio.sleep(0.05)  # the socket's end is read by the loop
    assert await pid(pool) != before


async def test_what_nobody_needs_is_closed(
    pool: Pool, server: tuple[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pools, "_IDLE_S", 0.05)
    await asyncio.gather(pid(pool, for_s=0.01), pid(pool, for_s=0.01))
    await until(server, 0)
    assert await pid(pool)
    await until(server, 0)


async def test_nobody_there_holds_no_place(server: tuple[str, Any]) -> None:
    url, _ = server
    doors = iter([1, 1, 1, None])

    async def connect() -> Any:
        port = next(doors)
        return await asyncpg.connect(url, port=port) if port else await asyncpg.connect(url)

    pool = Pool(connect, 1)
    for _ in range(3):
        with pytest.raises(ConnectionRefusedError):
            await pid(pool)
    assert await pid(pool)
    await pool.close()


async def test_closing_closes_what_lies_there_at_once_and_what_is_lent_when_it_is_back(
    pool: Pool, server: tuple[str, Any]
) -> None:
    async with pool.borrowed() as held:
        await pid(pool)
        await pool.close()
        await until(server, 1)
        assert await held.fetchval("SELECT 1") == 1
    await until(server, 0)
