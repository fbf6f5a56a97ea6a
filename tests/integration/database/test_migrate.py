"""Migrations wait briefly for a lock, let everybody else pass, and go on where they were; indexes are built beside."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest
from structlog.testing import capture_logs

from database.migrate import LockNotHadError, Patience, migrate

HURRIED = Patience(lock_timeout_ms=50, tries=2, first_pause_s=0.01, longest_pause_s=0.05)
DOGGED = Patience(lock_timeout_ms=50, tries=100_000, first_pause_s=0.01, longest_pause_s=0.05)

FIRST = """
from alembic import op

revision, down_revision = "0001", None


def upgrade():
    op.execute("CREATE TABLE things (id integer)")
"""
SECOND = """
from alembic import op

revision, down_revision = "0002", "0001"


def upgrade():
    op.execute("CREATE TABLE others (id integer)")
"""
THIRD = """
from alembic import op

revision, down_revision = "0003", "0002"


def upgrade():
    op.execute("ALTER TABLE things ADD COLUMN name text")
"""
BESIDE = """
from alembic import op

revision, down_revision = "0002", "0001"


def upgrade():
    with op.get_context().autocommit_block():
        op.execute("SET lock_timeout = 0")
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS things_by_id")
        op.execute("CREATE INDEX CONCURRENTLY things_by_id ON things (id)")
        op.execute("RESET lock_timeout")
"""


def versions(directory: Path, *scripts: str) -> Path:
    for number, script in enumerate(scripts, start=1):
        (directory / f"{number:04}.py").write_text(script)
    return directory


@asynccontextmanager
async def administrator(admin_url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(admin_url.replace("+asyncpg", ""), server_settings={"search_path": "search"})
    try:
        yield connection
    finally:
        await connection.close()


async def test_who_reads_passes_a_migration_that_waits(admin_url: str, tmp_path: Path) -> None:
    await migrate(admin_url, "search", versions(tmp_path, FIRST, SECOND, THIRD), None, "0001")
    async with administrator(admin_url) as slow, administrator(admin_url) as other:
        reading = slow.transaction()
        await reading.start()
        await slow.fetch("SELECT * FROM things")
        migration = asyncio.create_task(migrate(admin_url, "search", tmp_path, None, "head", DOGGED))
        waiting = "SELECT count(*) FROM pg_locks WHERE relation = 'things'::regclass AND NOT granted"
        while not await other.fetchval(waiting):
            assert not migration.done()
        assert await other.fetch("SELECT * FROM things") == [], "it stands in the queue behind the migration"
        await reading.rollback()
        await migration
        assert await other.fetch("SELECT id, name FROM things") == []


async def test_a_migration_that_gets_no_lock_says_so_and_keeps_what_it_did(admin_url: str, tmp_path: Path) -> None:
    await migrate(admin_url, "search", versions(tmp_path, FIRST, SECOND, THIRD), None, "0001")
    async with administrator(admin_url) as slow:
        async with slow.transaction():
            await slow.fetch("SELECT * FROM things")
            with pytest.raises(LockNotHadError, match="search"):
                await migrate(admin_url, "search", tmp_path, None, "head", HURRIED)
        assert await slow.fetchval("SELECT version_num FROM alembic_version") == "0002"
        await migrate(admin_url, "search", tmp_path, None, "head")
        assert await slow.fetchval("SELECT version_num FROM alembic_version") == "0003"


async def test_an_index_can_be_built_beside_the_writers(admin_url: str, tmp_path: Path) -> None:
    await migrate(admin_url, "search", versions(tmp_path, FIRST, BESIDE), None, "0001")
    async with administrator(admin_url) as admin:
        await admin.execute("CREATE INDEX things_by_id ON things (id)")  # what an attempt that was cut off left
    # A second job that waits for its turn must not be somebody the index waits for.
    await asyncio.gather(*(migrate(admin_url, "search", tmp_path, None, "head") for _ in range(2)))
    async with administrator(admin_url) as admin:
        owner = "SELECT tableowner FROM pg_tables WHERE tablename = 'things'"
        assert await admin.fetchval(owner) == "search"
        valid = "SELECT indisvalid FROM pg_index WHERE indexrelid = 'things_by_id'::regclass"
        assert await admin.fetchval(valid) is True


async def test_other_mistakes_are_not_tried_again(admin_url: str, tmp_path: Path) -> None:
    broken = SECOND.replace("CREATE TABLE others (id integer)", "ALTER TABLE nowhere ADD COLUMN id integer")
    with pytest.raises(Exception, match="nowhere"):
        await migrate(admin_url, "search", versions(tmp_path, FIRST, broken), None, "head")


async def test_a_database_that_a_newer_version_migrated_is_left_as_it_is(admin_url: str, tmp_path: Path) -> None:
    await migrate(admin_url, "search", versions(tmp_path, FIRST, SECOND, THIRD), None, "head")
    (tmp_path / "0003.py").unlink()
    with capture_logs() as logs:
        await migrate(admin_url, "search", tmp_path, None, "head")
    assert [(line["event"], line["database"], line["known"]) for line in logs] == [
        ("migrated by a newer version", ["0003"], "0002")
    ]
    async with administrator(admin_url) as admin:
        assert await admin.fetchval("SELECT version_num FROM alembic_version") == "0003"
        assert await admin.fetch("SELECT id, name FROM things") == []
