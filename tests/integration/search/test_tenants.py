"""One user's texts never reach another: not in results, facets, counts, similar files, history; nor in bare SQL."""

import httpx2
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from search.request import SearchRequest

CANARY = "xylophonecanary"


@pytest.fixture
async def bobs_file(world):
    return await world.add("bob", f"{CANARY}.txt", f"{CANARY} sings at midnight", f"more of the {CANARY}")


async def test_no_answer_holds_another_users_canary(world, client, bobs_file):
    await world.add("ada", "own.txt", "sings at midnight")
    for query in (CANARY, f'"{CANARY} sings"', "sings at midnight", f"-{CANARY} sings", f"{CANARY}.txt"):
        for mode in ("hybrid", "semantic", "keyword"):
            answer = await client.post("/api/v1/search", json={"query": query, "mode": mode, "limit": 100})
            data = answer.json()["data"]
            assert CANARY not in str(data["results"])
            assert bobs_file not in answer.text
            assert sum(data["facets"]["file_types"].values()) == data["total"] <= 1
            assert data["processing"] == 0


async def test_similar_to_another_users_file_is_not_found(world, client, bobs_file):
    assert (await client.get(f"/api/v1/file/{bobs_file}/similar")).status_code == 404
    assert (await client.get(f"/api/v1/file/{bobs_file}/text")).status_code == 404
    own = await world.add("ada", "own.txt", f"{CANARY} sings at midnight")
    similar = await client.get(f"/api/v1/file/{own}/similar")
    assert similar.json()["data"]["results"] == []


async def test_another_users_files_in_progress_are_not_counted(world, client):
    await world.apply(await world.processed(world.upload("bob", "waiting.txt")))
    answer = await client.post("/api/v1/search", json={"query": "anything"})
    assert answer.json()["data"]["processing"] == 0


async def test_history_is_ones_own(world, app, client):
    headers = {"X-API-Key": await world.new_user("bob")}
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://search", headers=headers) as bob:
        asked = await bob.post("/api/v1/search", json={"query": CANARY})
        bobs_search = asked.json()["data"]["search_id"]
        assert (await client.get("/api/v1/search/history")).json()["data"] == []
        assert (await client.delete(f"/api/v1/search/history/{bobs_search}")).status_code == 404
        await client.delete("/api/v1/search/history")
        assert len((await bob.get("/api/v1/search/history")).json()["data"]) == 1


async def test_no_answer_kept_filtered_or_summed_up_holds_another_users_canary(world, app, client, bobs_file):
    headers = {"X-API-Key": await world.new_user("bob")}
    transport = httpx2.ASGITransport(app=app)
    request = {"query": f"{CANARY} sings", "sort": "name", "languages": ["en"], "has_text": True, "status": "complete"}
    async with httpx2.AsyncClient(transport=transport, base_url="http://search", headers=headers) as bob:
        for _ in range(2):
            body = (await bob.post("/api/v1/search", json=request)).json()
            assert body["data"]["total"] == 1
        assert body["meta"]["cached"]
        verdict = {"search_id": body["data"]["search_id"], "upload_id": bobs_file, "rating": 0, "text": CANARY}
        assert (await bob.post("/api/v1/feedback", json=verdict)).status_code == 200
    for _ in range(2):
        answer = await client.post("/api/v1/search", json=request)
        assert answer.json()["data"]["total"] == 0
        assert not any(answer.json()["data"]["facets"].values())
        assert bobs_file not in answer.text
    misspelt = await client.post("/api/v1/search", json={"query": CANARY.replace("y", "i"), "mode": "keyword"})
    assert misspelt.json()["data"]["total"] == 0
    insights = await client.get("/api/v1/search/insights")
    assert bobs_file not in insights.text
    assert insights.json()["data"]["feedback"] == {"good": 0, "bad": 0, "latest": []}
    # Two questions of Ada's, the second time from memory, and the misspelt one.
    assert insights.json()["data"]["searches"] == 3


async def test_row_security_holds_where_a_query_forgets_the_user(world, bobs_file):
    await world.add("ada", "own.txt", "harbour")
    await world.finder.find("bob", SearchRequest(query=CANARY))
    tables = (
        "files", "file_name_words", "index_versions", "passage_sets", "passages", "words", "vectors_384",
        "vectors_1536", "search_history", "search_feedback",
    )  # fmt: skip
    for tenant in ("ada", "", "bob' OR '1'='1"):
        async with world.database.transaction(tenant) as session:
            for table in tables:
                rows = (await session.execute(text(f"SELECT * FROM {table}"))).mappings().all()
                assert {row["user_id"] for row in rows} <= {tenant}, table
    async with world.database.transaction("bob") as session:
        assert await session.scalar(text("SELECT count(*) FROM passages")) == 2
        assert await session.scalar(text("SELECT count(*) FROM search_history")) == 1


async def test_row_security_refuses_writing_for_another_user(world, bobs_file):
    async with world.database.transaction("ada") as session:
        deleted = await session.execute(text("DELETE FROM files"))
        assert deleted.rowcount == 0
    with pytest.raises(DBAPIError, match="row-level security"):
        async with world.database.transaction("ada") as session:
            await session.execute(text("INSERT INTO files (upload_id, user_id, generation) VALUES ('upl_x', 'bob', 1)"))
