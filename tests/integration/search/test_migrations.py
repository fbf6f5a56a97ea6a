"""What an earlier version has written is found after the migration, under row security as before."""

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url

from database.migrate import migrate
from tests.databases import open_as_service
from tests.integration.conftest import ROOT

MIGRATIONS = ROOT / "services" / "search" / "migrations"

OLD_FILE = """INSERT INTO search.files
    (upload_id, user_id, generation, processed_run, analyzed_run, filename, name_words)
    VALUES ('upl_1', 'ada', 1, 0, 0, 'glacier-survey.pdf',
    setweight(to_tsvector('simple', 'glacier survey pdf 2024'), 'A')
    || setweight(to_tsvector('simple', 'leica'), 'C'))"""
OLD_PASSAGES = """INSERT INTO search.passages (upload_id, model_id, ordinal, user_id, text, source)
    VALUES ('upl_1', 'm', 0, 'ada', 'a title', 'summary'), ('upl_1', 'm', 1, 'ada', 'said', 'speech')"""


@pytest.fixture
async def upgraded(admin_url):
    """A database with one file of before, brought up to date; seen as the service."""
    await migrate(admin_url, "search", MIGRATIONS, "secret", "0002")
    admin = await asyncpg.connect(admin_url.replace("+asyncpg", ""))
    try:
        await admin.execute(OLD_FILE)
        await admin.execute(OLD_PASSAGES)
    finally:
        await admin.close()
    await migrate(admin_url, "search", MIGRATIONS, "secret", "head")
    url = make_url(admin_url).set(username="search", password="secret")
    async with open_as_service(url) as database:
        yield database


async def test_names_and_texts_of_before_are_known(upgraded):
    async with upgraded.transaction("ada") as session:
        known = await session.scalars(text("SELECT word FROM file_name_words ORDER BY word"))
        assert known.all() == ["glacier", "survey"]
        assert await session.scalar(text("SELECT has_text FROM files"))


async def test_row_security_is_back_on(upgraded):
    async with upgraded.transaction("bob") as session:
        for table in ("files", "passages", "file_name_words"):
            assert await session.scalar(text(f"SELECT count(*) FROM {table}")) == 0, table


async def test_vectors_of_before_are_whole_rows_in_their_users_graph(admin_url):
    await migrate(admin_url, "search", MIGRATIONS, "secret", "0004")
    admin = await asyncpg.connect(admin_url.replace("+asyncpg", ""), server_settings={"search_path": "search,public"})
    try:
        await admin.execute(
            """INSERT INTO vectors_1536 (upload_id, model_id, ordinal, user_id, embedding, in_graph)
            SELECT 'upl_' || repeat('x', 26), 'm', i, 'ada', CAST(array_fill(CAST(i AS real), ARRAY[1536]) AS halfvec),
            i < 20 FROM generate_series(1, 20) AS i"""
        )
        toast = "SELECT pg_relation_size(reltoastrelid) FROM pg_class WHERE oid = 'vectors_1536'::regclass"
        assert await admin.fetchval(toast) > 0
        codes = "SELECT array_agg(code ORDER BY ordinal) FROM vectors_1536 WHERE user_id = 'ada'"
        before = await admin.fetchval(codes)
        await migrate(admin_url, "search", MIGRATIONS, "secret", "head")
        assert await admin.fetchval(toast) == 0
        assert await admin.fetchval(codes) == before
        graph = await admin.fetchval("SELECT hashtext('ada') & 15")
        holds = "SELECT reltuples FROM pg_class WHERE oid = $1::text::regclass"
        assert await admin.fetchval(holds, f"vectors_1536_graph_{graph}") == 20
    finally:
        await admin.close()
