"""Two models side by side: who is answered by which, what a switch needs, what a drop leaves; never both at once."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
from sqlalchemy import text

from contracts.artifacts import Service
from contracts.events import MediaIndexedV1, UploadDeletedV1, UserChangedV1
from contracts.events.user_changed_v1 import ApiKeyHash, UserStatus
from embeddings.encoder import EncoderUnavailable
from embeddings.testing import FakeEncoder
from hosting.answers import ApiError
from hosting.app import create_app
from identity.api_keys import hash_api_key, new_api_key
from providers.prices import Price
from search.authenticator import ProjectedAuthenticator
from search.comparison import Comparing
from search.finder import Finder
from search.handlers import projections
from search.models import Model, Models
from search.reembedding import Reembedding
from search.request import SearchRequest
from search.routes.history import history_router
from search.routes.models import models_router
from search.routes.searching import search_router
from search.store import models
from tests.integration.locks import until_one_waits
from tests.integration.search.conftest import FAKE_CALIBRATION, World

OLD, NEW = "fake-384", "fake-1536"
TEXTS = ("the harbour at dawn with fishing boats", "a bakery that sells rye bread")


class Synonyms(FakeEncoder):
    """A better model: it knows that a port is a harbour."""

    def _embed(self, text: str) -> Any:
        return super()._embed(text.replace("port", "harbour"))


class Reembedder(World):
    """The world with a second model, whose vectors are asked for by hand."""

    def __init__(self, world: World) -> None:
        self.following = Synonyms(1536)
        super().__init__(world.database, world.encoder, world.store)
        following = Model(self.following, FAKE_CALIBRATION, Price(input_usd=20))
        self.models = Models(Model(self.encoder, FAKE_CALIBRATION), [following])
        self.finder = Finder(self.database, self.models)
        self.reembedding = Reembedding(self.database, self.models, grace_s=0)

    async def beside(self, user: str, filename: str, *texts: str, **changes: Any) -> list[Any]:
        """The next model's vectors of a file."""
        other = World(self.database, self.following, self.store)
        event = await other.embedded(self.upload(user, filename), texts, beside=True, **changes)
        return await self.apply(event)

    async def both(self, user: str, filename: str, *texts: str) -> str:
        upload_id = await self.add(user, filename, *texts)
        await self.beside(user, filename, *texts)
        return upload_id

    async def operator(self, user: str) -> str:
        key = new_api_key()
        hashed = ApiKeyHash(key_id="k1", sha256=hash_api_key(key))
        changed = UserChangedV1(
            user_id=user, version=1, status=UserStatus.ACTIVE, tier="pro", operator=True, api_keys=(hashed,)
        )
        await self.apply(changed)
        return key

    async def count(self, user: str, model_id: str) -> dict[str, int]:
        """Rows of a model in every table that has some."""
        counts: dict[str, int] = {}
        async with self.database.transaction(user) as session:
            for table in ("passage_sets", "passages", "words", "vectors_384", "vectors_1536"):
                statement = text(f"SELECT count(*) FROM {table} WHERE model_id = :model_id")
                counts[table] = (await session.execute(statement, {"model_id": model_id})).scalar_one()
            statement = text("SELECT COALESCE(sum(files), 0) FROM vector_counts WHERE model_id = :model_id")
            counts["counted"] = int((await session.execute(statement, {"model_id": model_id})).scalar_one())
        return counts


@pytest.fixture
def two(world: World) -> Reembedder:
    return Reembedder(world)


@pytest.fixture
async def http(two: Reembedder) -> AsyncIterator[Any]:
    """``await http(user)``: a client that is this user; ``root`` is an operator."""
    comparing = Comparing(two.database, two.models, encoder_timeout_s=3)
    routers = [search_router(two.finder), models_router(two.database, two.reembedding, comparing)]
    app = create_app(Service.SEARCH, routers=[*routers, history_router(two.database)])
    app.state.authenticator = ProjectedAuthenticator(two.database, local_issuer_secret="s" * 32)
    clients: dict[str, httpx2.AsyncClient] = {}

    async def client(user: str) -> httpx2.AsyncClient:
        if user not in clients:
            key = await (two.operator(user) if user == "root" else two.new_user(user))
            transport = httpx2.ASGITransport(app=app)
            clients[user] = httpx2.AsyncClient(
                transport=transport, base_url="http://search/api/v1", headers={"X-API-Key": key}
            )
        return clients[user]

    yield client
    for one in clients.values():
        await one.aclose()


async def found(client: httpx2.AsyncClient, query: str, **request: Any) -> list[str]:
    answer = await client.post("/search", json={"query": query, **request})
    assert answer.status_code == 200, answer.text
    return [result["filename"] for result in answer.json()["data"]["results"]]


async def post(client: httpx2.AsyncClient, path: str, status: int = 200, **body: Any) -> Any:
    answer = await client.post(f"/search/models{path}", json=body)
    assert answer.status_code == status, answer.text
    whole = answer.json()
    return whole["data"] if status == 200 else whole["error"]


async def model(client: httpx2.AsyncClient, model_id: str, **query: Any) -> dict[str, Any]:
    shown = (await client.get("/search/models", params=query)).json()["data"]
    return next(one for one in shown if one["model_id"] == model_id)


async def test_a_switch_changes_the_answers_and_a_rollback_changes_them_back(two: Reembedder, http: Any) -> None:
    ada = await http("ada")
    await two.both("ada", "a.txt", TEXTS[0])
    assert await found(ada, "port", mode="semantic") == []
    switched = await post(ada, "/switch", model_id=NEW)
    assert (switched["model_id"], switched["previous_model_id"], switched["missing_files"]) == (NEW, OLD, 0)
    # The same question as a moment ago: what was kept of it belongs to the other model.
    assert await found(ada, "port", mode="semantic") == ["a.txt"]
    assert (await post(ada, "/rollback"))["model_id"] == OLD
    assert await found(ada, "port", mode="semantic") == []
    assert (await post(ada, "/rollback"))["model_id"] == OLD, "whoever repeats it gets no other answer"
    assert await found(ada, "port", mode="semantic") == []
    assert (await post(ada, "/switch", model_id=NEW))["previous_model_id"] == OLD
    assert (await post(ada, "/rollback"))["model_id"] == OLD


async def test_what_is_made_beside_announces_nothing(two: Reembedder) -> None:
    await two.add("ada", "a.txt", TEXTS[0])
    assert await two.beside("ada", "a.txt", TEXTS[0]) == []
    ordinary = await two.apply(await two.embedded(two.upload("ada", "b.txt"), [TEXTS[1]]))
    assert [type(event) for event in ordinary] == [MediaIndexedV1]


async def test_only_one_models_passages_are_shown_and_counted(two: Reembedder, http: Any) -> None:
    """Both hold the same words; each moment appears once, from the answering model, in every mode."""
    ada = await http("ada")
    texts = [f"page {n} about the harbour and its boats" for n in range(4)]
    await two.add("ada", "a.txt", *texts)
    for mode in ("hybrid", "keyword", "semantic"):
        alone = (await ada.post("/search", json={"query": "harbour boats", "mode": mode})).json()["data"]["results"]
        await two.beside("ada", "a.txt", *texts)
        both = (await ada.post("/search", json={"query": "harbour boats", "mode": mode})).json()["data"]["results"]
        assert both == alone
        assert len(both[0]["moments"]) == 3
        await two.reembedding.drop(NEW, 100)
        await two.reembedding.admit(NEW)


async def test_a_file_that_only_the_other_model_has_is_found_by_its_words(two: Reembedder, http: Any) -> None:
    ada = await http("ada")
    upload = two.upload("ada", "a.txt")
    await two.apply(await two.processed(upload), await two.analyzed(upload, [TEXTS[0]]))
    await two.beside("ada", "a.txt", TEXTS[0])
    assert await found(ada, "fishing boats", mode="keyword") == ["a.txt"]
    assert await found(ada, "fishing boats", mode="semantic") == []


async def test_vectors_of_two_models_never_meet(two: Reembedder) -> None:
    """Even of the same length: the answering model's alone are looked at."""
    twin = Synonyms(384, model_id="twin-384")
    models = Models(Model(two.encoder, FAKE_CALIBRATION), [Model(twin, FAKE_CALIBRATION)])
    finder = Finder(two.database, models)
    await two.add("ada", "old.txt", "a harbour")
    other = World(two.database, twin, two.store)
    await two.apply(await two.processed(two.upload("ada", "new.txt")))
    await two.apply(await other.embedded(two.upload("ada", "new.txt"), ["a harbour"], beside=True))
    request = SearchRequest(query="harbour", mode="semantic")
    assert [file.filename for file in (await finder.find("ada", request)).results] == ["old.txt"]
    switching = Reembedding(two.database, models)
    await switching.switch("ada", "twin-384", force=True)
    assert [file.filename for file in (await finder.find("ada", request)).results] == ["new.txt"]
    similar = await finder.similar("ada", two.upload("ada", "old.txt").upload_id, 5)
    assert similar.results == []


async def test_a_switch_that_would_lose_files_is_refused_until_forced(two: Reembedder, http: Any) -> None:
    ada = await http("ada")
    await two.both("ada", "a.txt", TEXTS[0])
    await two.add("ada", "b.txt", TEXTS[1])
    refused = await post(ada, "/switch", 409, model_id=NEW)
    assert (refused["code"], refused["details"]) == ("model_not_covering", {"missing_files": 1})
    state = await model(ada, NEW)
    assert (state["files"], state["expected"], state["missing_files"], state["missing_passages"]) == (1, 2, 1, 1)
    assert (state["configured"], state["answering"], state["missing_tokens"]) == ("next", False, 9)
    assert state["missing_cost_usd"] == pytest.approx(9 * 20 / 1e6)
    assert (await post(ada, "/switch", model_id=NEW, force=True))["missing_files"] == 1
    assert await found(ada, "rye bread") == ["b.txt"], "what has no vectors yet is found by its words"


async def test_what_a_switch_of_ones_own_has_lost_still_keeps_everyone_from_switching(
    two: Reembedder, http: Any
) -> None:
    root = await http("root")
    await two.both("ada", "a.txt", TEXTS[0])
    await two.add("ada", "b.txt", TEXTS[1])
    await two.reembedding.switch("ada", NEW, force=True)
    state = await model(root, NEW, everyone=True)
    assert (state["expected"], state["missing_files"]) == (2, 1)
    assert (await post(root, "/switch", 409, model_id=NEW, everyone=True))["code"] == "model_not_covering"


async def test_vectors_of_an_earlier_run_do_not_count(two: Reembedder, http: Any) -> None:
    ada = await http("ada")
    await two.both("ada", "a.txt", TEXTS[0])
    await two.apply(await two.embedded(two.upload("ada", "a.txt", run=1), [TEXTS[1]]))
    assert (await model(ada, NEW))["missing_files"] == 1


async def test_one_users_switch_is_nobody_elses(two: Reembedder, http: Any) -> None:
    ada, bob, root = await http("ada"), await http("bob"), await http("root")
    for user in ("ada", "bob"):
        await two.both(user, f"{user}.txt", TEXTS[0])
    await post(root, "/switch", model_id=NEW, user_id="ada")
    assert await found(ada, "port", mode="semantic") == ["ada.txt"]
    assert await found(bob, "port", mode="semantic") == []
    assert (await model(root, NEW, everyone=True))["users"] == 1
    refusals = [
        await post(bob, "/switch", 403, model_id=NEW, user_id="ada"),
        await post(bob, "/switch", 403, model_id=NEW, everyone=True),
        await post(bob, "/rollback", 403, everyone=True),
        await post(bob, "/drop", 403, model_id=NEW),
        await post(bob, "/admit", 403, model_id=NEW),
    ]
    assert {refusal["code"] for refusal in refusals} == {"forbidden"}
    assert (await bob.get("/search/models", params={"everyone": True})).status_code == 403
    assert (await post(root, "/switch", 404, model_id=NEW, user_id="nobody"))["code"] == "not_found"


async def test_everyone_is_switched_at_once_and_back(two: Reembedder, http: Any) -> None:
    ada, bob, root = await http("ada"), await http("bob"), await http("root")
    for user in ("ada", "bob"):
        await two.both(user, f"{user}.txt", TEXTS[0])
    await post(ada, "/switch", model_id=NEW)
    await post(ada, "/rollback")
    whole = await model(root, NEW, everyone=True)
    assert (whole["files"], whole["expected"], whole["missing_files"]) == (2, 2, 0)
    assert (await post(root, "/switch", model_id=NEW, everyone=True))["previous_model_id"] == OLD
    for client, name in ((ada, "ada.txt"), (bob, "bob.txt")):
        assert await found(client, "port", mode="semantic") == [name]
    for _ in range(3):
        assert (await post(root, "/rollback", everyone=True))["model_id"] == OLD
    assert await found(bob, "port", mode="semantic") == []
    assert (await post(bob, "/rollback", 409))["code"] == "nothing_to_roll_back"


async def test_answers_come_from_one_model_while_files_arrive_and_models_change(two: Reembedder) -> None:
    """Under writes and switches no answer mixes two models, and no file found before is ever lost."""
    for n in range(3):
        await two.both("ada", f"{n}.txt", f"{TEXTS[0]} {n}")
    request = SearchRequest(query="harbour dawn fishing boats", mode="hybrid")
    finder = Finder(two.database, two.models)
    done = asyncio.Event()

    async def writing() -> None:
        for n in range(3, 12):
            await two.both("ada", f"{n}.txt", f"{TEXTS[0]} {n}")
        done.set()

    async def switching() -> None:
        while not done.is_set():
            await two.reembedding.switch("ada", NEW, force=True)
            await two.reembedding.rollback("ada", force=True)

    answers: list[list[str]] = []

    async def searching() -> None:
        while not done.is_set():
            answer = await finder.find("ada", request)
            assert not answer.degraded
            answers.append([file.filename for file in answer.results])

    await asyncio.gather(writing(), switching(), searching(), searching())
    assert len(answers) > 10
    assert all({"0.txt", "1.txt", "2.txt"} <= set(answer) for answer in answers)
    assert all(len(answer) == len(set(answer)) for answer in answers)


async def test_dropping_leaves_no_row_and_nobody_else_notices(two: Reembedder, http: Any) -> None:
    ada, bob, root = await http("ada"), await http("bob"), await http("root")
    for user in ("ada", "bob"):
        for n in range(3):
            await two.both(user, f"{n}.txt", f"{TEXTS[0]} {n}")
    before = await found(bob, "harbour boats")
    first = await post(root, "/drop", model_id=NEW, limit=4)
    second = await post(root, "/drop", model_id=NEW, limit=4)
    assert [(one["removed_files"], one["remaining"]) for one in (first, second)] == [(4, 2), (2, 0)]
    for user in ("ada", "bob"):
        assert set((await two.count(user, NEW)).values()) == {0}
        assert (await two.count(user, OLD))["passage_sets"] == 3
    assert await found(bob, "harbour boats") == before
    assert len(await found(ada, "harbour boats", mode="semantic")) == 3


async def test_what_answers_or_is_written_is_not_dropped(two: Reembedder, http: Any) -> None:
    ada, root = await http("ada"), await http("root")
    await two.both("ada", "a.txt", TEXTS[0])
    assert (await post(root, "/drop", 409, model_id=OLD))["code"] == "model_in_use"
    await post(ada, "/switch", model_id=NEW)
    assert (await post(root, "/drop", 409, model_id=NEW))["details"] == {"users": 1}
    await post(root, "/switch", model_id=NEW, everyone=True)
    assert (await post(root, "/drop", 409, model_id=NEW))["code"] == "model_answers"
    assert (await post(root, "/drop", 404, model_id="never-heard-of"))["code"] == "not_found"


async def test_searches_begun_before_a_switch_are_given_time(two: Reembedder) -> None:
    await two.both("ada", "a.txt", TEXTS[0])
    patient = Reembedding(two.database, two.models, grace_s=60)
    await patient.switch("ada", NEW, force=False)
    await patient.rollback("ada", force=False)
    early = await patient.drop(NEW, 10)
    assert (early.removed_files, early.remaining, 0 < early.wait_s <= 60) == (0, 1, True)
    assert (await two.count("ada", NEW))["passages"] == 1


async def test_after_the_configuration_has_moved_on_the_old_model_goes(two: Reembedder) -> None:
    """The new model is the current one; the old one is not even configured any more."""
    await two.both("ada", "a.txt", TEXTS[0])
    await two.add("ada", "only-old.txt", TEXTS[1])
    await two.reembedding.switch("", NEW, force=True)
    moved = Models(Model(two.following, FAKE_CALIBRATION))
    finder = Finder(two.database, Models(Model(two.following, FAKE_CALIBRATION)))
    dropped = await Reembedding(two.database, moved, grace_s=0).drop(OLD, 100)
    assert (dropped.removed_files, dropped.remaining) == (2, 0)
    assert set((await two.count("ada", OLD)).values()) == {0}
    semantic = await finder.find("ada", SearchRequest(query="port", mode="semantic"))
    assert [file.filename for file in semantic.results] == ["a.txt"]
    # Whatever only the old model held keeps its words.
    words = await finder.find("ada", SearchRequest(query="rye bread"))
    assert [file.filename for file in words.results] == ["only-old.txt"]


async def test_a_file_is_complete_once_the_model_that_answers_has_it(two: Reembedder) -> None:
    await two.both("ada", "a.txt", "harbour")
    await two.reembedding.switch("ada", NEW, force=False)
    late, following = two.upload("ada", "b.txt"), World(two.database, two.following, two.store)
    await two.apply(await two.processed(late), await two.analyzed(late, ["harbour"]))
    await two.apply(await two.embedded(late, ["harbour"]))
    for status, processing in (("processing", 1), ("complete", 0)):
        if status == "complete":
            await two.apply(await following.embedded(late, ["harbour"], beside=True))
        answer = await two.finder.find("ada", SearchRequest(query="harbour", mode="keyword"))
        assert {file.filename: file.status for file in answer.results} == {"a.txt": "complete", "b.txt": status}
        assert answer.processing == processing
        only = await two.finder.find("ada", SearchRequest(query="harbour", mode="keyword", status="processing"))
        assert len(only.results) == only.facets.statuses.get("processing", 0) == processing


async def test_a_dropped_model_is_written_again_only_when_it_was_admitted(two: Reembedder, http: Any) -> None:
    root = await http("root")
    await two.both("ada", "a.txt", TEXTS[0])
    assert (await post(root, "/admit", model_id=NEW))["round"] == 0
    await post(root, "/drop", model_id=NEW)
    await two.beside("ada", "a.txt", TEXTS[0])
    assert set((await two.count("ada", NEW)).values()) == {0}
    assert (await model(root, NEW, everyone=True))["dropped"] is True
    assert (await post(root, "/switch", 409, model_id=NEW, everyone=True))["code"] == "model_dropped"
    assert (await post(root, "/admit", model_id=NEW))["round"] == 1
    await two.beside("ada", "a.txt", TEXTS[0])
    assert (await two.count("ada", NEW))["vectors_1536"] == 1
    assert (await post(root, "/admit", 409, model_id="never-heard-of"))["code"] == "model_not_configured"


async def test_a_model_that_was_dropped_may_become_the_current_one(two: Reembedder) -> None:
    """Or every file sent from then on would wait for its index for ever."""
    await two.both("ada", "a.txt", TEXTS[0])
    await two.reembedding.drop(NEW, 10)
    following, late = World(two.database, two.following, two.store), two.upload("ada", "b.txt")
    await two.apply(await two.processed(late), await two.analyzed(late, [TEXTS[1]]))
    of_before = await following.apply(await following.embedded(late, [TEXTS[1]]))
    assert (of_before, set((await two.count("ada", NEW)).values())) == ([], {0}), "sent before the drop, heard after it"
    following.handlers = {one.event: one for one in projections(NEW)}
    announced = await following.apply(await following.embedded(late, [TEXTS[1]]))
    assert [event.upload.upload_id for event in announced] == [late.upload_id]
    assert (await two.count("ada", NEW))["vectors_1536"] == 1
    states = {one.model_id: one for one in await two.reembedding.states("ada")}
    assert (states[NEW].dropped, states[NEW].files) == (False, 1)


async def test_a_model_this_process_does_not_know_answers_by_words_and_says_so(two: Reembedder) -> None:
    await two.both("ada", "a.txt", TEXTS[0])
    await two.reembedding.switch("ada", NEW, force=False)
    elsewhere = Finder(two.database, Models(Model(two.encoder, FAKE_CALIBRATION)))
    answer = await elsewhere.find("ada", SearchRequest(query="fishing boats"))
    assert (answer.degraded, [file.filename for file in answer.results]) == (True, ["a.txt"])


async def test_ones_own_past_queries_are_compared(two: Reembedder, http: Any) -> None:
    ada, bob = await http("ada"), await http("bob")
    await two.both("ada", "a.txt", TEXTS[0])
    await two.both("ada", "b.txt", TEXTS[1])
    await found(bob, "somebody else's secret")
    for query in ("volcano", "rye bread", "PORT", "port", "harbour"):
        await found(ada, query, mode="semantic")
    await found(ada, "a keyword", mode="keyword")
    before = (await ada.get("/search/history")).json()["meta"]["total"]
    answer = (await ada.get("/search/models/comparison", params={"model_id": NEW})).json()["data"]
    assert (answer["model_id"], answer["other_model_id"], answer["first_changed"]) == (OLD, NEW, 1)
    queries = {one["query"]: one for one in answer["queries"]}
    assert list(queries) == ["harbour", "port", "rye bread", "volcano"]
    assert (queries["port"]["overlap"], queries["port"]["before"], queries["port"]["after"]) == (0.0, [], ["a.txt"])
    assert (queries["rye bread"]["overlap"], queries["rye bread"]["first_changed"]) == (1.0, False)
    assert (queries["volcano"]["before"], queries["volcano"]["after"], answer["unanswered"]) == ([], [], 1)
    assert answer["overlap"] == pytest.approx(2 / 3, abs=0.001), "two models that find nothing do not agree"
    assert (await ada.get("/search/history")).json()["meta"]["total"] == before, "nothing of it is remembered"
    two.following.failure = EncoderUnavailable("down")
    outage = await ada.get("/search/models/comparison", params={"model_id": NEW})
    assert (outage.status_code, outage.json()["error"]["code"]) == (503, "unavailable")
    unknown = await ada.get("/search/models/comparison", params={"model_id": "x"})
    assert unknown.json()["error"]["code"] == "model_not_configured"


async def test_the_model_that_cannot_be_asked_is_named(two: Reembedder) -> None:
    await two.both("ada", "a.txt", TEXTS[0])
    await two.reembedding.switch("ada", NEW, force=False)
    without_it = Comparing(two.database, Models(two.models.current), encoder_timeout_s=3)
    with pytest.raises(ApiError, match=f"encode queries for {NEW}:"):
        await without_it.compare("ada", OLD, 20)
    with pytest.raises(ApiError, match="encode queries for x:"):
        await Comparing(two.database, two.models, encoder_timeout_s=3).compare("ada", "x", 20)


async def test_a_model_that_has_nothing_is_not_compared(two: Reembedder, http: Any) -> None:
    ada = await http("ada")
    await two.add("ada", "a.txt", TEXTS[0])
    await two.both("bob", "b.txt", TEXTS[1])
    await found(ada, "harbour", mode="semantic")
    asked = list(two.following.encoded)
    answer = await ada.get("/search/models/comparison", params={"model_id": NEW})
    assert answer.status_code == 409
    error = answer.json()["error"]
    assert (error["code"], error["details"]) == ("model_covers_nothing", {"missing_files": 1})
    assert two.following.encoded == asked, "no query was paid for"


async def test_what_only_one_model_has_is_left_out_of_both_answers(two: Reembedder, http: Any) -> None:
    """However many files the other lacks, twenty that both have are compared where there are so many."""
    ada = await http("ada")
    for n in range(60):
        await two.add("ada", f"old{n}.txt", "harbour boats")
    for n in range(3):
        await two.both("ada", f"both{n}.txt", f"harbour boats {' '.join(f'net{i}' for i in range(1 + n * n))}")
    await two.both("ada", "again.txt", "harbour boats")
    await two.apply(await two.embedded(two.upload("ada", "again.txt", run=1), ["harbour boats"]))
    await found(ada, "harbour boats", mode="semantic")
    answer = (await ada.get("/search/models/comparison", params={"model_id": NEW})).json()["data"]
    assert (answer["expected"], answer["missing_files"]) == (64, 61)
    (one,) = answer["queries"]
    assert (answer["overlap"], one["first_changed"]) == (1.0, False)
    assert {name[:4] for name in one["before"]} == {name[:4] for name in one["after"]} == {"both"}
    for n in range(60):
        await two.beside("ada", f"old{n}.txt", "harbour boats")
    await two.apply(
        await World(two.database, two.following, two.store).embedded(
            two.upload("ada", "again.txt", run=1), ["harbour boats"], beside=True
        )
    )
    whole = (await ada.get("/search/models/comparison", params={"model_id": NEW})).json()["data"]
    assert whole["missing_files"] == 0
    assert "both" not in {name[:4] for name in whole["queries"][0]["after"]}


async def test_new_words_are_found_whichever_model_has_them_first(two: Reembedder) -> None:
    old, new = two.upload("ada", "a.txt"), two.upload("ada", "a.txt", run=1)
    await two.apply(await two.processed(old), await two.analyzed(old, ["froze"]), await two.embedded(old, ["froze"]))
    await two.apply(await two.analyzed(new, ["thawed"]))
    assert await said(two, "thawed") == ["a.txt"]
    await two.apply(await World(two.database, two.following, two.store).embedded(new, ["thawed"], beside=True))
    assert await said(two, "thawed") == ["a.txt"]
    await two.apply(await two.embedded(new, ["thawed"]))
    assert (await said(two, "thawed"), await said(two, "froze")) == (["a.txt"], [])


async def said(two: Reembedder, query: str) -> list[str]:
    answer = await two.finder.find("ada", SearchRequest(query=query, mode="keyword"))
    return [result.filename for result in answer.results]


async def test_a_drop_leaves_the_texts_of_the_newest_analysis_and_a_deletion_none(two: Reembedder) -> None:
    early, late = two.upload("ada", "a.txt"), two.upload("ada", "a.txt", run=1)
    await two.apply(await two.processed(early), await two.analyzed(early, ["froze"]))
    await two.beside("ada", "a.txt", "froze")
    await two.apply(await two.analyzed(late, ["thawed"]))
    await two.reembedding.drop(NEW, 10)
    assert [passage["text"] for passage in (await two.rows("ada"))["passages"]] == ["thawed"]
    alone = two.upload("ada", "b.txt")
    await two.apply(await two.processed(alone))
    await two.reembedding.admit(NEW)
    await two.beside("ada", "b.txt", "a secret")
    await two.reembedding.drop(NEW, 10)
    await two.apply(UploadDeletedV1(upload=late), UploadDeletedV1(upload=alone))
    rows = await two.rows("ada")
    assert not rows["passages"]
    assert not rows["words"]


async def test_a_drop_leaves_the_texts_where_the_other_model_has_only_those_of_an_earlier_run(two: Reembedder) -> None:
    await two.both("ada", "a.txt", "froze")
    late = two.upload("ada", "a.txt", run=1)
    following = World(two.database, two.following, two.store)
    await two.apply(await two.analyzed(late, ["thawed"]), await following.embedded(late, ["thawed"], beside=True))
    assert await said(two, "thawed") == ["a.txt"]
    await two.reembedding.drop(NEW, 10)
    assert await said(two, "thawed") == ["a.txt"]
    await two.apply(await two.embedded(late, ["thawed"]))
    assert (await said(two, "thawed"), await said(two, "froze")) == (["a.txt"], [])
    assert [passage["model_id"] for passage in (await two.rows("ada"))["passages"]] == [OLD]


async def test_switching_everyone_ends_own_choices(two: Reembedder) -> None:
    await two.both("ada", "a.txt", "harbour")
    await two.reembedding.switch("ada", NEW, force=False)
    await two.reembedding.switch("", OLD, force=False)
    assert {state.model_id for state in await two.reembedding.states("ada") if state.answering} == {OLD}


async def test_a_drop_waits_for_whoever_is_writing_the_model(two: Reembedder) -> None:
    await two.both("ada", "a.txt", "harbour")
    async with two.database.transaction("ada") as session:
        assert await models.may_write(session, NEW)
        dropping = asyncio.create_task(two.reembedding.drop(NEW, 10))
        await until_one_waits(two.database)
        assert not dropping.done()
        assert await models.may_write(session, NEW)
    await dropping
    async with two.database.transaction("ada") as session:
        assert not await models.may_write(session, NEW)
    assert {passage["model_id"] for passage in (await two.rows("ada"))["passages"]} == {OLD}


@pytest.mark.parametrize(
    "body",
    [{}, {"model_id": ""}, {"model_id": "a b"}, {"model_id": 3}, {"model_id": "x", "user_id": "u", "everyone": True}],
)
async def test_what_does_not_fit_is_refused(http: Any, body: dict[str, Any]) -> None:
    await post(await http("root"), "/switch", 422, **body)


async def test_a_code_is_compared_as_it_is_searched(two: Reembedder, http: Any) -> None:
    ada = await http("ada")
    await two.both("ada", "changes.txt", "CVE-2017-1000250 was mended.")
    assert await found(ada, "CVE-2017-1000251") == []
    answer = (await ada.get("/search/models/comparison", params={"model_id": NEW})).json()["data"]
    (one,) = answer["queries"]
    assert (one["before"], one["after"], answer["unanswered"]) == ([], [], 1)
