"""Databases in which 0007 ran as it was first committed: it dropped a function that 0010 drops."""

import asyncpg

from database.migrate import migrate
from tests.integration.conftest import ROOT

MIGRATIONS = ROOT / "services" / "search" / "migrations"


async def test_a_function_that_is_gone_already_hinders_nothing(admin_url: str) -> None:
    await migrate(admin_url, "search", MIGRATIONS, "secret", "0009")
    admin = await asyncpg.connect(admin_url.replace("+asyncpg", ""))
    try:
        await admin.execute("DROP FUNCTION search.owned(tsvector, text)")
        await migrate(admin_url, "search", MIGRATIONS, "secret", "head")
        assert not await admin.fetchval("SELECT count(*) FROM pg_proc WHERE proname = 'owned'")
    finally:
        await admin.close()
