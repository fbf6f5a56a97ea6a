"""Past searches: newest first, the first page only, one or all deleted, never too many, nothing half typed."""

import httpx2
from sqlalchemy import text

from search.store import history

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


async def test_a_search_says_whether_filters_held_files_out(client):
    filters = ({"has_text": True}, {"file_types": ["image"]}, {"date_from": "2026-01-01"})
    for i, asked in enumerate(({}, {"include_flagged": True}, {"sort": "name", "limit": 3}, *filters)):
        await ask(client, f"{i}th query", **asked)
    kept = (await client.get(HISTORY)).json()["data"]
    assert [past["filtered"] for past in reversed(kept)] == [False, False, False, True, True, True]


async def test_a_filter_chosen_while_typing_belongs_to_the_search(client):
    for query, asked in (("har", {}), ("harb", {"has_text": True}), ("harbour", {})):
        await ask(client, query, **asked)
        (kept,) = (await client.get(HISTORY)).json()["data"]
        assert (kept["query"], kept["filtered"]) == (query, bool(asked))


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


async def test_while_a_query_is_typed_only_the_last_is_kept_and_all_answers_belong_to_it(world, client):
    upload_id = await world.add("ada", "a.txt", "harbour")
    answers = [await ask(client, query) for query in ("har", "harb", "Harbour at", "Harbour")]

    kept = (await client.get(HISTORY)).json()["data"]

    assert [past["query"] for past in kept] == ["Harbour"]
    assert {answer["search_id"] for answer in answers} == {kept[0]["search_id"]}
    assert kept[0]["result_count"] == answers[-1]["total"] == 1
    verdict = {"search_id": answers[0]["search_id"], "upload_id": upload_id, "rating": 1}
    assert (await client.post("/api/v1/feedback", json=verdict)).status_code == 200
    assert (await client.get("/api/v1/search/insights")).json()["data"]["searches"] == 1


async def test_what_was_rated_is_not_taken_for_half_typed(world, client):
    upload_id = await world.add("ada", "a.txt", "harbour")
    rated = (await ask(client, "harbour"))["search_id"]
    await client.post("/api/v1/feedback", json={"search_id": rated, "upload_id": upload_id, "rating": 1})
    assert (await ask(client, "harbour at dawn"))["search_id"] != rated
    assert await queries(client) == ["harbour at dawn", "harbour"]


async def test_another_mode_another_beginning_the_same_again_and_a_pause_are_searches_of_their_own(world, client):
    for query, mode in (("ice", "hybrid"), ("ice", "hybrid"), ("ice age", "keyword"), ("nice age", "keyword")):
        await ask(client, query, mode=mode)
    assert await queries(client) == ["nice age", "ice age", "ice", "ice"]
    async with world.database.transaction("ada") as session:
        await session.execute(text("UPDATE search_history SET created_at = now() - interval '6 s'"))
    await ask(client, "nice age again", mode="keyword")
    assert (await queries(client))[:2] == ["nice age again", "nice age"]


async def test_an_answer_that_was_overtaken_does_not_bring_back_the_half_typed_query(world):
    how = {"result_count": 0, "took_ms": 1.0, "degraded": False, "cached": False}
    async with world.database.transaction("ada") as slow:
        async with world.database.transaction("ada") as fast:
            whole = await history.remember(fast, "ada", "harbour", "hybrid", **how)
        assert await history.remember(slow, "ada", "harb", "hybrid", **how) == whole
        assert [past.query for past in await history.page(slow, "ada", 10, 0)] == ["harbour"]


async def test_others_searches_are_never_continued(world, app, client):
    await ask(client, "harb")
    headers = {"X-API-Key": await world.new_user("bob")}
    async with httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app=app), base_url="http://search", headers=headers
    ) as bob:
        await ask(bob, "harbour")
    assert await queries(client) == ["harb"]


async def queries(client):
    return [past["query"] for past in (await client.get(HISTORY)).json()["data"]]
