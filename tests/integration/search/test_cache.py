"""The same question within five minutes is answered from memory, unless anything has changed."""

from embeddings.encoder import EncoderUnavailable
from search.cache import KEPT_S, AnswerCache
from search.finder import Finder
from search.models import Model, Models
from search.request import SearchRequest
from tests.integration.search.conftest import FAKE_CALIBRATION

SEARCH = "/api/v1/search"


async def ask(client, query="harbour", **parameters):
    body = (await client.post(SEARCH, json={"query": query, **parameters})).json()
    return body["data"], body["meta"]["cached"]


async def test_the_second_answer_is_the_first_under_a_search_of_its_own(world, client, encoder):
    await world.add("ada", "a.txt", "harbour")
    encoder.encoded.clear()
    first, cached = await ask(client)
    assert not cached
    second, cached = await ask(client)
    assert cached
    assert encoder.encoded == ["harbour"]
    assert second["results"] == first["results"]
    assert second["search_id"] != first["search_id"]
    history = (await client.get(f"{SEARCH}/history")).json()["data"]
    assert [past["cached"] for past in history] == [True, False]


async def test_another_request_is_another_answer(world, client):
    await world.add("ada", "a.txt", "harbour")
    await ask(client)
    for parameters in ({"mode": "keyword"}, {"limit": 5}, {"file_types": ["image"]}, {"sort": "name"}):
        assert not (await ask(client, **parameters))[1], parameters


async def test_every_event_of_the_user_ends_it(world, client, names):
    await world.add("ada", "a.txt", "harbour")
    upload = world.upload("ada", "b.txt")
    events = [
        await world.processed(upload),
        await world.analyzed(upload, ["harbour"]),
        await world.embedded(upload, ["harbour"]),
    ]
    for event in events:
        await ask(client)
        assert (await ask(client))[1]
        await world.apply(event)
        assert not (await ask(client))[1]
    assert len((await ask(client))[0]["results"]) == 2
    await world.delete("ada", "a.txt")
    data, cached = await ask(client)
    assert (names(data["results"]), cached) == (["b.txt"], False)


async def test_another_users_events_do_not(world, client):
    await world.add("ada", "a.txt", "harbour")
    await ask(client)
    await world.add("bob", "b.txt", "harbour")
    assert (await ask(client))[1]


async def test_what_was_answered_without_the_encoder_is_not_kept(world, client, encoder):
    await world.add("ada", "a.txt", "harbour")
    encoder.failure = EncoderUnavailable("down")
    assert (await ask(client))[0]["degraded"]
    encoder.failure = None
    data, cached = await ask(client)
    assert (data["degraded"], cached) == (False, False)


async def test_nothing_is_kept_longer_than_five_minutes_or_beyond_the_limit(world):
    await world.add("ada", "a.txt", "harbour")
    now = [0.0]
    cache = AnswerCache(most_results=6, clock=lambda: now[0])
    finder = Finder(world.database, Models(Model(world.encoder, FAKE_CALIBRATION)), cache=cache)

    async def cached(query):
        return (await finder.find("ada", SearchRequest(query=query))).cached

    assert [await cached("harbour"), await cached("harbour")] == [False, True]
    now[0] = KEPT_S
    assert not await cached("harbour")
    assert not await cached("harbour ice")
    assert [await cached("harbour"), await cached("harbour ice")] == [True, True]
    assert not await cached("harbour snow")
    assert not await cached("harbour")


async def test_an_answer_found_while_the_index_changed_is_not_taken_for_the_new_one(world):
    await world.add("ada", "a.txt", "harbour")
    cache = AnswerCache()
    request = SearchRequest(query="harbour")
    answer = await world.finder.find("ada", request)
    cache.put("ada", request, 3, answer)
    assert cache.get("ada", request, 4) is None
    assert not cache.holds("ada", request)
    cache.put("ada", request, 4, answer)
    assert cache.get("bob", request, 4) is None
