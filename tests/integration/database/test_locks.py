"""A lock that one process at a time has: it needs none of the pool's connections, and goes with its own."""

import asyncio

import asyncpg
from sqlalchemy import text

from database.engine import Database
from tests.integration.conftest import ServiceDatabase


async def test_it_is_had_once_and_again_when_it_was_let_go(service_database: ServiceDatabase) -> None:
    database = await service_database("search")
    async with (
        database.alone("sweep") as first,
        database.alone("sweep") as second,
        database.alone("purge") as other,
    ):
        assert (first, second, other) == (True, False, True)
    async with database.alone("sweep") as again:
        assert again


async def test_the_smallest_pool_is_left_to_those_who_have_locks(service_database: ServiceDatabase) -> None:
    url = (await service_database("search")).engine.url.render_as_string(hide_password=False)
    async with Database(url, "search", pool_size=2) as database:
        every_one_has_its_lock = asyncio.Barrier(3)

        async def work(name: str) -> int:
            async with database.alone(name) as alone, database.transaction() as session:
                assert alone
                one = await session.scalar(text("SELECT 1"))
            return int(one or 0)

        async def meanwhile(name: str) -> int:
            async with database.alone(name):
                await every_one_has_its_lock.wait()
                return await work(f"{name} inside")

        assert await asyncio.gather(*(meanwhile(name) for name in ("sweeper", "watch", "purge"))) == [1, 1, 1]


async def test_it_goes_with_whoever_is_cut_off(service_database: ServiceDatabase) -> None:
    database = await service_database("search")
    has_it = asyncio.Event()

    async def hold() -> None:
        async with database.alone("sweep"):
            has_it.set()
            await asyncio.Event().wait()

    holding = asyncio.create_task(hold())
    await has_it.wait()
    holding.cancel()
    await asyncio.gather(holding, return_exceptions=True)
    async with database.alone("sweep") as again:
        assert again


async def test_its_connection_that_is_lost_is_no_error_of_the_work(
    service_database: ServiceDatabase, admin_url: str
) -> None:
    database = await service_database("search")
    administrator = await asyncpg.connect(admin_url.replace("+asyncpg", ""))
    try:
        async with database.alone("sweep") as first:
            await administrator.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'search_alone'"
            )
        assert first
    finally:
        await administrator.close()
    async with database.alone("sweep") as again:
        assert again
