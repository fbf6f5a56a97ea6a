"""Walking all pages of a large answer: each file once, every file, and a total that says when it is not all."""

import pytest
from sqlalchemy import text

from search.ranking import MOST_SORTED

SEARCH = "/api/v1/search"
FILES = 230


@pytest.fixture
async def many(world):
    """Files that hold one, two or three of the words asked for, on the same two days."""
    for i in range(FILES):
        said = "harbour " + "violin " * (i % 2) + "night " * (i % 3 == 0) + f"page{i}"
        await world.add("ada", f"f{i:03}.txt", said)
    return world


async def walked(client, mode, limit, query="harbour violin night"):
    """Names in order, and each page's total with what it says of it."""
    names, totals, offset = [], [], 0
    while True:
        body = (await client.post(SEARCH, json={"query": query, "mode": mode, "limit": limit, "offset": offset})).json()
        page, meta = body["data"]["results"], body["meta"]
        names += [file["filename"] for file in page]
        totals.append((meta["total"], meta["total_relation"]))
        assert sum(body["data"]["facets"]["file_types"].values()) == meta["total"]
        offset += limit
        if not meta["has_more"]:
            return names, totals
        assert len(page) == limit


@pytest.mark.parametrize("mode", ["hybrid", "semantic", "keyword"])
async def test_every_page_size_walks_through_the_same_files_in_the_same_order(many, client, mode):
    walks = [await walked(client, mode, limit) for limit in (7, 20, 100)]
    first, _ = walks[0]
    assert len(set(first)) == len(first) > 50
    for names, totals in walks:
        assert names == first
        assert totals[-1] == (len(first), "eq")
        assert all(total < len(first) for total, relation in totals if relation == "gte")


@pytest.mark.parametrize("query", ["ledge", "violi night", "ledge violi"])
@pytest.mark.parametrize("mode", ["hybrid", "keyword"])
async def test_so_does_a_query_that_was_relaxed(world, client, mode, query):
    for i in range(FILES // 2):
        said = "ledger " * (1 + i % 7) + "violin " * (1 + i % 3) + "night " * (i % 4)
        await world.add("ada", f"f{i * 37 % 115:03}.txt", f"{said} page{i}")
    walks = [await walked(client, mode, limit, query) for limit in (20, 49, 100)]
    first, _ = walks[0]
    assert len(set(first)) == len(first) > 50
    assert [names for names, _ in walks] == [first] * 3


async def test_a_total_that_stopped_counting_says_so(many, client):
    _, totals = await walked(client, "keyword", 20, "harbour")
    assert totals[0] == (50, "gte")
    assert totals[-1] == (FILES, "eq")
    _, totals = await walked(client, "keyword", 20, "page7")
    assert totals == [(1, "eq")]


async def test_of_few_files_every_page_counts_all(world, client):
    for i in range(70):
        await world.add("ada", f"f{i:03}.txt", f"harbour page{i}")
    _, totals = await walked(client, "hybrid", 20, "harbour")
    assert totals == [(70, "eq")] * 4


_NAMED = """INSERT INTO files (upload_id, user_id, generation, processed_run, analyzed_run, filename, kind, media_type,
    size_bytes, created_at, has_thumbnail, name_words)
    SELECT 'upl_' || lpad(CAST(i AS text), 26, 'a'), 'ada', 1, 0, 0, 'scan' || i || '.txt', 'document', 'text/plain',
        i % 7, now(), false, to_tsvector('simple', 'scan harbour') FROM generate_series(1, CAST(:files AS int)) AS i"""


async def test_sorted_pages_make_one_order_of_the_most_relevant(world, client):
    """Many of the same size, and more of them than are sorted."""
    async with world.database.transaction("ada") as session:
        await session.execute(text(_NAMED), {"files": MOST_SORTED + 300})
    seen = []
    for offset in range(0, MOST_SORTED + 300, 100):
        asked = {"query": "harbour", "mode": "keyword", "sort": "-size", "limit": 100, "offset": offset}
        body = (await client.post(SEARCH, json=asked)).json()
        seen += [(file["size_bytes"], file["upload_id"]) for file in body["data"]["results"]]
        assert (body["meta"]["total"], body["meta"]["total_relation"]) == (MOST_SORTED, "gte")
    assert len(set(seen)) == len(seen) == MOST_SORTED
    assert [size for size, _ in seen] == sorted((size for size, _ in seen), reverse=True)
