"""What the version before 0009 wrote, and goes on writing beside it: searches, and names with words run together."""

from collections.abc import AsyncIterator

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url

from database.engine import Database
from database.migrate import migrate
from tests.databases import open_as_service
from tests.integration.conftest import ROOT

MIGRATIONS = ROOT / "services" / "search" / "migrations"

FILE = """INSERT INTO search.files (upload_id, user_id, generation, processed_run, filename, name_words) VALUES
    ('upl_1', 'ada', 1, 0, 'CamelCase.jpg', setweight(to_tsvector('simple', 'camelcase jpg camel case jpg'), 'A')
    || setweight(to_tsvector('simple', 'leica'), 'C'))"""
WORDS = "INSERT INTO search.file_name_words (user_id, word, upload_id) VALUES ('ada', 'camelcase', 'upl_1')"
SEARCH = """INSERT INTO search.search_history (user_id, query, mode, result_count, took_ms, degraded, cached)
    VALUES ('ada', 'harbour', 'hybrid', 0, 1, false, false)"""


@pytest.fixture
async def upgraded(admin_url: str) -> AsyncIterator[Database]:
    """A file and a search of before, another search of the version before that still runs; seen as the service."""
    await migrate(admin_url, "search", MIGRATIONS, "secret", "0008")
    admin = await asyncpg.connect(admin_url.replace("+asyncpg", ""))
    try:
        for statement in (FILE, WORDS, SEARCH):
            await admin.execute(statement)
        await migrate(admin_url, "search", MIGRATIONS, "secret", "0009")
        await admin.execute(SEARCH)
    finally:
        await admin.close()
    url = make_url(admin_url).set(username="search", password="secret")
    async with open_as_service(url) as database:
        yield database


async def test_names_are_known_by_their_parts_and_searches_count_as_without_filters(upgraded: Database) -> None:
    async with upgraded.transaction("ada") as session:
        known = await session.scalars(text("SELECT word FROM file_name_words ORDER BY word"))
        assert known.all() == ["camel", "camelcase", "case"]
        assert (await session.scalars(text("SELECT filtered FROM search_history"))).all() == [False, False]


async def test_row_security_is_back_on(upgraded: Database) -> None:
    async with upgraded.transaction("bob") as session:
        for table in ("files", "file_name_words", "search_history"):
            assert await session.scalar(text(f"SELECT count(*) FROM {table}")) == 0, table
