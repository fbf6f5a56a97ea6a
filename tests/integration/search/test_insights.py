"""Feedback on what was found, and the owner's own figures: what is asked, what finds nothing, how long it takes."""

import uuid

import httpx2
import pytest

SEARCH = "/api/v1/search"
FEEDBACK = "/api/v1/feedback"
INSIGHTS = f"{SEARCH}/insights"


async def ask(client, query, **parameters):
    return (await client.post(SEARCH, json={"query": query, **parameters})).json()["data"]


@pytest.fixture
async def bob(world, app):
    headers = {"X-API-Key": await world.new_user("bob")}
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://search", headers=headers) as client:
        yield client


async def test_insights_of_nothing(client):
    data = (await client.get(INSIGHTS)).json()["data"]
    assert data["searches"] == 0
    assert data["latency"] == {"p50_ms": None, "p95_ms": None, "p99_ms": None}
    assert data["top_queries"] == data["zero_result_queries"] == data["feedback"]["latest"] == []


async def test_what_is_asked_most_and_what_finds_nothing(world, client):
    await world.add("ada", "a.txt", "harbour")
    for query in ("harbour", "Harbour", "unicorns", "unicorns", "unicorns", "ice"):
        await ask(client, query)

    body = (await client.get(INSIGHTS, params={"limit": 2})).json()

    data = body["data"]
    assert body["meta"] == {"days": 30, "limit": 2}
    assert [(q["query"].lower(), q["searches"]) for q in data["top_queries"]] == [("unicorns", 3), ("harbour", 2)]
    assert data["top_queries"][1]["last_result_count"] == 1
    assert [q["query"] for q in data["zero_result_queries"]] == ["unicorns", "ice"]
    assert (data["searches"], data["without_results"], data["cached"], data["degraded"]) == (6, 4, 2, 0)
    assert 0 < data["latency"]["p50_ms"] <= data["latency"]["p95_ms"] <= data["latency"]["p99_ms"]


async def test_a_query_that_finds_something_now_is_no_zero_result_any_more(world, client):
    await ask(client, "harbour")
    await world.add("ada", "a.txt", "harbour")
    await ask(client, "harbour")
    assert (await client.get(INSIGHTS)).json()["data"]["zero_result_queries"] == []


async def test_what_only_filters_keep_from_being_found_is_no_zero_result(world, client):
    await world.add("ada", "a.txt", "harbour")
    for query, filters in (
        ("harbour", {}), ("harbour", {"file_types": ["image"]}), ("harbour", {"has_text": False}),
        ("unicorns", {}), ("ice", {"file_types": ["image"]}),
    ):  # fmt: skip
        await ask(client, query, **filters)

    data = (await client.get(INSIGHTS)).json()["data"]

    assert [(q["query"], q["searches"]) for q in data["zero_result_queries"]] == [("unicorns", 1)]
    assert (data["searches"], data["without_results"], data["without_results_filtered"]) == (5, 1, 3)
    assert (data["top_queries"][0]["query"], data["top_queries"][0]["searches"]) == ("harbour", 3)


async def test_one_verdict_for_each_search_and_file_the_last_one_counts(world, client):
    upload_id = await world.add("ada", "a.txt", "harbour")
    search_id = (await ask(client, "harbour"))["search_id"]
    pair = {"search_id": search_id, "upload_id": upload_id}

    first = await client.post(FEEDBACK, json=pair | {"rating": 1})
    second = await client.post(FEEDBACK, json=pair | {"rating": 0, "text": " wrong\x00 harbour "})

    assert first.json()["data"] == pair | {"rating": 1, "replaced": False}
    assert second.json()["data"] == pair | {"rating": 0, "replaced": True}
    summary = (await client.get(INSIGHTS)).json()["data"]["feedback"]
    assert (summary["good"], summary["bad"]) == (0, 1)
    (verdict,) = summary["latest"]
    assert (verdict["query"], verdict["filename"], verdict["comment"]) == ("harbour", "a.txt", "wrong harbour")


async def test_further_pages_belong_to_the_search_they_began_with(world, client):
    upload_id = await world.add("ada", "a.txt", "harbour")
    first = (await ask(client, "harbour"))["search_id"]
    second = (await ask(client, "harbour", offset=20))["search_id"]
    assert first == second
    given = await client.post(FEEDBACK, json={"search_id": second, "upload_id": upload_id, "rating": 1})
    assert given.status_code == 200


async def test_verdicts_go_with_their_search_and_outlive_their_file(world, client):
    upload_id = await world.add("ada", "a.txt", "harbour")
    search_id = (await ask(client, "harbour"))["search_id"]
    await client.post(FEEDBACK, json={"search_id": search_id, "upload_id": upload_id, "rating": 1})
    await world.delete("ada", "a.txt")
    (verdict,) = (await client.get(INSIGHTS)).json()["data"]["feedback"]["latest"]
    assert verdict["filename"] is None
    await client.delete(f"{SEARCH}/history/{search_id}")
    assert (await client.get(INSIGHTS)).json()["data"]["feedback"] == {"good": 0, "bad": 0, "latest": []}


async def test_feedback_that_does_not_fit_is_refused(world, client):
    upload_id = await world.add("ada", "a.txt", "harbour")
    search_id = (await ask(client, "harbour"))["search_id"]
    good = {"search_id": search_id, "upload_id": upload_id, "rating": 1}
    for changes in (
        {"rating": 0},
        {"rating": 0, "text": " \x00 "},
        {"rating": 2},
        {"rating": "1"},
        {"rating": True},
        {"rating": None},
        {"search_id": "x"},
        {"upload_id": "x"},
        {"text": "x" * 2001},
        {"text": 7},
        {"user_id": "bob"},
    ):
        answer = await client.post(FEEDBACK, json=good | changes)
        assert answer.status_code == 422, (changes, answer.text)
        assert answer.json()["error"]["code"] == "invalid_request"
    for changes in ({"search_id": str(uuid.uuid4())}, {"upload_id": "upl_" + "a" * 26}):
        assert (await client.post(FEEDBACK, json=good | changes)).status_code == 404, changes


async def test_another_users_searches_and_files_cannot_be_judged_or_seen(world, client, bob):
    own = await world.add("ada", "own.txt", "harbour")
    bobs = await world.add("bob", "bobs.txt", "xylophonecanary")
    adas_search = (await ask(client, "harbour"))["search_id"]
    bobs_search = (await ask(bob, "xylophonecanary"))["search_id"]
    for search_id, upload_id in ((adas_search, bobs), (bobs_search, own), (bobs_search, bobs)):
        pair = {"search_id": search_id, "upload_id": upload_id, "rating": 1}
        assert (await client.post(FEEDBACK, json=pair)).status_code == 404
    await bob.post(FEEDBACK, json={"search_id": bobs_search, "upload_id": bobs, "rating": 1})
    seen = (await client.get(INSIGHTS)).text
    assert "xylophonecanary" not in seen
    assert bobs not in seen
    assert (await client.get(INSIGHTS)).json()["data"]["searches"] == 1


async def test_parameters_are_checked(client):
    for parameters in ({"days": "0"}, {"days": "366"}, {"limit": "0"}, {"limit": "101"}, {"days": "x"}):
        assert (await client.get(INSIGHTS, params=parameters)).status_code == 422, parameters
