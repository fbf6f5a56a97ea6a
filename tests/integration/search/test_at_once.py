"""What happens to one thing at the same time: the last word counts, nothing is left over, nobody gets a 500."""

import asyncio

import pytest
from sqlalchemy import text

from contracts.events import UploadDeletedV1
from search.request import SearchRequest
from search.store import history, names, stems
from tests.integration.locks import until_one_waits


async def test_of_two_runs_at_once_the_later_one_counts(world):
    for n in range(6):
        early, late = world.upload("ada", f"a{n}.txt"), world.upload("ada", f"a{n}.txt", run=1)
        await world.apply(await world.processed(early))
        for make in (world.analyzed, world.embedded):
            old, new = await make(early, [f"old {n}"]), await make(late, [f"new {n}"])
            await asyncio.gather(*(world.apply(event) for event in (old, new, old)))
        small, large = await world.processed(early, size_bytes=1), await world.processed(late, size_bytes=2)
        await asyncio.gather(*(world.apply(event) for event in (small, large, small)))
    rows = await world.rows("ada")
    assert {passage["text"] for passage in rows["passages"]} == {f"new {n}" for n in range(6)}
    assert {file["size_bytes"] for file in rows["files"]} == {2}


async def test_what_is_deleted_while_it_comes_leaves_nothing(world):
    for n in range(8):
        upload = world.upload("ada", f"f{n}.txt")
        events = [
            await world.processed(upload),
            await world.analyzed(upload, ["harbour"]),
            await world.embedded(upload, ["harbour"]),
            UploadDeletedV1(upload=upload),
        ]
        await asyncio.gather(*(world.apply(event) for event in events))
    rows = await world.rows("ada")
    assert not any(rows[table] for table in rows if table != "files")
    assert {file["processed_run"] for file in rows["files"]} == {None}


async def test_a_verdict_on_a_search_that_is_just_deleted_is_refused(world, client):
    upload_id = await world.add("ada", "a.txt", "harbour")
    search_id = (await client.post("/api/v1/search", json={"query": "harbour"})).json()["data"]["search_id"]
    verdict = {"search_id": search_id, "upload_id": upload_id, "rating": 1}
    async with world.database.transaction("ada") as session:
        await session.execute(text("DELETE FROM search_history WHERE search_id = :id"), {"id": search_id})
        given = asyncio.create_task(client.post("/api/v1/feedback", json=verdict))
        await until_one_waits(world.database)
    assert (await given).status_code == 404


async def test_searches_do_not_forget_each_others_words(world, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(stems, "_MOST_KNOWN", 3)
    await world.add("ada", "a.txt", "harbour")

    async def ask(name):
        for letter in "abcdefghij":
            query = f"harbour {name}{letter} same{letter}"
            answer = await world.finder.find("ada", SearchRequest(query=query, mode="keyword"))
            assert answer.total_relation == "eq"

    await asyncio.gather(*(ask(name) for name in ("one", "two", "three", "four")))


async def test_what_was_typed_further_is_not_taken_back_by_a_slower_search(world):
    how = {"result_count": 0, "took_ms": 1.0, "degraded": False, "cached": False, "filtered": False}
    async with world.database.transaction("ada") as session:
        await history.remember(session, "ada", "ha", "hybrid", **how)
    async with world.database.transaction("ada") as slow:
        await slow.execute(text("SELECT 1"))
        async with world.database.transaction("ada") as fast:
            await history.remember(fast, "ada", "harbour", "hybrid", **how)
            late = asyncio.create_task(history.remember(slow, "ada", "harb", "hybrid", **how))
            await until_one_waits(world.database)
        await late
    async with world.database.transaction("ada") as session:
        assert [past.query for past in await history.page(session, "ada", 10, 0)] == ["harbour"]


async def test_a_name_that_comes_while_the_last_one_with_its_word_goes_can_be_misspelt(world):
    await world.add("ada", "glacier.txt", "x")
    going, coming = world.upload("ada", "glacier.txt"), world.upload("ada", "glacier2.txt")
    async with world.database.transaction("ada") as one:
        await names.replace(one, coming, {"glacier"})
        async with world.database.transaction("ada") as other:
            await names.forget(other, going)
    async with world.database.transaction("ada") as session:
        assert await names.similar_words(session, "ada", {"glacer"}, 2) == {"glacier": 1}
