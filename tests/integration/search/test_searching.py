"""The transactions of a search: one tenant's, one state of the index, few statements, and notes all or nothing."""

import asyncio
from contextlib import asynccontextmanager, suppress

import pytest
from asyncpg import InsufficientPrivilegeError

from database.outages import DatabaseUnavailableError
from database.reading import Terms
from search.finder import Finder
from search.models import Model, Models
from search.request import SearchRequest
from search.store import history, retrieval
from search.store.statements import statement
from tests.integration.search.conftest import FAKE_CALIBRATION

HOW = {"result_count": 1, "took_ms": 1.0, "degraded": False, "cached": False}
TABLES = ("files", "passages", "passage_sets", "words", "vectors_384", "search_history", "index_versions")


async def test_it_sees_and_notes_for_its_tenant_only(world):
    await world.add("bob", "b.txt", "harbour")
    await world.finder.find("bob", SearchRequest(query="harbour"))
    for tenant in ("ada", "", "bob' OR '1'='1"):
        for terms in (retrieval.SEARCH_TERMS, retrieval.HISTORY_TERMS):
            async with world.database.reading(tenant, terms) as reading:
                for table in TABLES:
                    assert not (await reading.execute(statement(f"SELECT * FROM {table}"), {})).all(), table
    with pytest.raises(InsufficientPrivilegeError, match="row-level security"):
        async with world.database.reading("ada", retrieval.HISTORY_TERMS) as reading:
            await history.remember(reading, "bob", "harbour", "hybrid", **HOW)


async def test_the_settings_of_one_search_end_with_it(world):
    names = [*retrieval.SEARCH_TERMS.settings, "app.user_id", "transaction_read_only", "transaction_isolation"]
    shown = statement("SELECT " + ", ".join(f"current_setting('{name}', true)" for name in names))
    async with world.database.reading("ada", retrieval.SEARCH_TERMS) as reading:
        within = list((await reading.execute(shown, {})).one())
    assert within == [*retrieval.SEARCH_TERMS.settings.values(), "ada", "on", "repeatable read"]
    async with world.database.reading("") as reading:
        after = list((await reading.execute(shown, {})).one())
    assert "ada" not in after
    assert after[0] == "auto"


async def test_what_begins_again_is_another_transaction_of_the_same_tenant(world):
    await world.add("bob", "b.txt", "harbour")
    names = ("app.user_id", "hnsw.ef_search", "transaction_read_only", "transaction_isolation")
    shown = statement("SELECT " + ", ".join(f"current_setting('{name}', true)" for name in names))
    async with world.database.reading("ada", retrieval.SEARCH_TERMS) as reading:
        await reading.begin_again(retrieval.HISTORY_TERMS)
        after = list((await reading.execute(shown, {})).one())
        assert after[0] == "ada"
        assert after[1] != retrieval.SEARCH_TERMS.settings["hnsw.ef_search"]
        assert after[2:] == ["off", "read committed"]
        assert not (await reading.execute(statement("SELECT * FROM files"), {})).all()
        await history.remember(reading, "ada", "harbour", "hybrid", **HOW)
    with suppress(ZeroDivisionError):
        async with world.database.reading("ada", retrieval.SEARCH_TERMS) as reading:
            await reading.begin_again(retrieval.HISTORY_TERMS)
            await history.remember(reading, "ada", "never kept", "hybrid", **HOW)
            raise ZeroDivisionError
    async with world.database.transaction("ada") as session:
        assert [past.query for past in await history.page(session, "ada", 10, 0)] == ["harbour"]


async def test_a_search_that_fails_notes_nothing(world):
    with suppress(ZeroDivisionError):
        async with world.database.reading("ada", retrieval.HISTORY_TERMS) as reading:
            await history.remember(reading, "ada", "harbour", "hybrid", **HOW)
            raise ZeroDivisionError
    async with world.database.transaction("ada") as session:
        assert await history.count(session, "ada") == 0


async def test_a_statement_that_takes_too_long_is_an_outage(world):
    with pytest.raises(DatabaseUnavailableError):
        async with world.database.reading("ada", Terms({"statement_timeout": "1"})) as reading:
            await reading.execute(statement("SELECT pg_sleep(5)"), {})


async def test_a_search_asks_few_statements_all_of_them_by_the_driver(world):
    await world.add("ada", "a.txt", "harbour ice")
    counted = Counted(world.database)
    finder = Finder(counted, Models(Model(world.encoder, FAKE_CALIBRATION)))
    for query, most in (("harbour ice", 6), ("harbour ice", 2), ("harbour", 5)):
        # From memory: what the index is at this moment, and the history. The words of the last are known already.
        counted.statements, counted.transactions = 0, 0
        assert (await finder.find("ada", SearchRequest(query=query))).total == 1
        assert counted.statements <= most
        assert counted.transactions <= 2


async def test_answers_hold_together_while_files_come_and_go(world):
    done = asyncio.Event()

    async def write():
        for i in range(8):
            upload = world.upload("ada", f"f{i}.txt")
            await world.apply(await world.processed(upload))
            await world.apply(await world.analyzed(upload, [f"harbour ice {i}"]))
            await world.apply(await world.embedded(upload, [f"harbour ice {i}"]))
            if i % 3 == 2:
                await world.delete("ada", f"f{i - 1}.txt")
        done.set()

    async def read():
        asked = 0
        while not done.is_set():
            for status in (None, "processing", "complete"):
                request = SearchRequest(query=f"harbour {asked}", status=status, limit=3)
                answer = await world.finder.find("ada", request)
                assert answer.total == sum(answer.facets.file_types.values()) == sum(answer.facets.months.values())
                assert len(answer.results) == min(answer.total, 3)
                assert {file.status for file in answer.results} <= {status or file.status for file in answer.results}
                if status == "processing":
                    assert answer.total <= answer.processing
                asked += 1
        return asked

    _, asked, _ = await asyncio.gather(write(), read(), read())
    assert asked
    pages = [await world.finder.find("ada", SearchRequest(query="harbour", limit=2, offset=at)) for at in (0, 2, 4, 6)]
    found = [file.upload_id for page in pages for file in page.results]
    assert len(found) == len(set(found)) == pages[0].total == 6
    assert {page.processing for page in pages} == {0}


class Counted:
    """A database that can only be read by the driver, and counts it."""

    def __init__(self, database):
        self._database = database
        self.statements = 0
        self.transactions = 0

    @asynccontextmanager
    async def reading(self, tenant, terms):
        self.transactions += 1
        async with self._database.reading(tenant, terms) as self._reading:
            yield self

    async def begin_again(self, terms):
        self.transactions += 1
        await self._reading.begin_again(terms)

    async def execute(self, statement, values):
        self.statements += 1
        return await self._reading.execute(statement, values)
