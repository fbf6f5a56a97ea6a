"""Past searches: newest first, the first page only, one or all deleted, never more than are kept."""

from sqlalchemy import text

HISTORY = "/api/v1/search/history"


async def ask(client, query, **parameters):
    return (await client.post("/api/v1/search", json={"query": query, **parameters})).json()["data"]


async def test_searches_are_listed_newest_first_with_how_they_went(world, client):
    await world.add("ada", "a.txt", "harbour")
    first = await ask(client, "harbour")
    await ask(client, "nothing\x00 of   that", mode="keyword")
    await ask(client, "harbour", offset=20)

    body = (await client.get(HISTORY)).json()

    assert [past["query"] for past in body["data"]] == ["nothing of that", "harbour"]
    assert body["data"][1]["search_id"] == first["search_id"]
    assert body["data"][1]["result_count"] == 1
    assert body["data"][0]["mode"] == "keyword"
    assert body["meta"]["total"] == 2


async def test_pages(client):
    for i in range(5):
        await ask(client, f"query {i}")
    body = (await client.get(HISTORY, params={"limit": 2, "offset": 2})).json()
    assert [past["query"] for past in body["data"]] == ["query 2", "query 1"]
    assert body["meta"]["has_more"] is True


async def test_one_or_all_are_deleted(client):
    first = await ask(client, "one")
    await ask(client, "two")
    await ask(client, "three")
    assert (await client.delete(f"{HISTORY}/{first['search_id']}")).status_code == 200
    assert (await client.delete(f"{HISTORY}/{first['search_id']}")).status_code == 404
    assert (await client.delete(HISTORY)).json()["data"] == {"deleted": 2}
    assert (await client.get(HISTORY)).json()["data"] == []


async def test_the_oldest_beyond_a_thousand_are_forgotten(world, client):
    insert = (
        "INSERT INTO search_history (user_id, query, mode, result_count, took_ms, degraded) "
        "SELECT 'ada', 'old ' || n, 'hybrid', 0, 1, false FROM generate_series(1, 1003) n"
    )
    async with world.database.transaction("ada") as session:
        await session.execute(text(insert))
    await ask(client, "new")
    body = (await client.get(HISTORY, params={"limit": 1})).json()
    assert body["meta"]["total"] == 1000
    assert body["data"][0]["query"] == "new"
