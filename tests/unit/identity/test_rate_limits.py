"""Rate limits: per user and tier, else per address; headers; shared counters; a store that is away."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import httpx2
import pytest
from fastapi import FastAPI
from limits import RateLimitItemPerMinute, RateLimitItemPerSecond
from limits.aio.strategies import SlidingWindowCounterRateLimiter
from prometheus_client import REGISTRY
from starlette.types import Message

from contracts.artifacts import Service
from hosting.app import create_app
from hosting.settings import EdgeSettings, RateLimit, RateLimits
from identity.principal import Caller, Principal
from identity.public_edge import guard
from identity.rate_limits import Counters
from tests.redis_server import redis

LIMITS = RateLimits(
    free=RateLimit(per_minute=6, burst=6),
    pro=RateLimit(per_minute=9, burst=9),
    enterprise=RateLimit(per_minute=50, burst=2),
)


class Users:
    """An authenticator over a handful of keys, counting how often it is asked."""

    def __init__(self) -> None:
        self.asked = 0
        self.away = False

    async def by_api_key(self, key: str) -> Principal | None:
        self.asked += 1
        if self.away:
            raise ConnectionError
        name, _, tier = key.partition(":")
        return Principal(name, tier, suspended=tier == "suspended") if tier else None

    async def by_bearer(self, token: str) -> Principal | None:
        return await self.by_api_key(token)


def application(users: Users, store: str = "memory://", **settings: object) -> FastAPI:
    app = create_app(Service.SEARCH)

    @app.get("/api/v1/things")
    async def things(caller: Caller) -> str:
        return caller.user_id

    @app.get("/api/v1/file/{upload_id}/thumbnail")
    async def thumbnail(upload_id: str, caller: Caller) -> str:
        return upload_id

    @app.get("/page")
    async def page() -> str:
        return "page"

    guard(app, EdgeSettings(rate_limit_store=store, rate_limits=LIMITS, **settings), users)  # type: ignore[arg-type]
    return app


@asynccontextmanager
async def client_of(app: FastAPI, address: str = "203.0.113.7") -> AsyncIterator[httpx2.AsyncClient]:
    """A client of an application that starts and stops as a server would have it."""
    said: asyncio.Queue[str] = asyncio.Queue()
    told: asyncio.Queue[str] = asyncio.Queue()

    async def receive() -> Message:
        return {"type": await told.get()}

    async def send(message: Message) -> None:
        await said.put(message["type"])

    living = asyncio.create_task(app({"type": "lifespan"}, receive, send))
    await told.put("lifespan.startup")
    assert await said.get() == "lifespan.startup.complete"
    transport = httpx2.ASGITransport(app=app, client=(address, 1))
    async with httpx2.AsyncClient(transport=transport, base_url="http://api") as client:
        yield client
    await told.put("lifespan.shutdown")
    await living


@pytest.fixture
def users() -> Users:
    return Users()


@pytest.fixture(params=["memory", "redis"])
async def client(request: pytest.FixtureRequest, users: Users) -> AsyncIterator[httpx2.AsyncClient]:
    store = "memory://" if request.param == "memory" else request.getfixturevalue("redis_url")
    async with client_of(application(users, store)) as client:
        yield client


@pytest.fixture
def redis_url() -> Iterator[str]:
    with redis() as port:
        yield f"redis://127.0.0.1:{port}"


async def until_refused(client: httpx2.AsyncClient, most: int = 60, **headers: str) -> tuple[int, httpx2.Response]:
    for number in range(most):
        answer = await client.get("/api/v1/things", headers={k.replace("_", "-"): v for k, v in headers.items()})
        if answer.status_code == 429:
            return number, answer
    raise AssertionError("never refused")


async def test_each_user_has_a_limit_of_their_tier(client: httpx2.AsyncClient, users: Users) -> None:
    assert (await until_refused(client, X_API_Key="ada:free"))[0] == 6
    assert (await until_refused(client, X_API_Key="bob:pro"))[0] == 9
    assert (await until_refused(client, Authorization="Bearer eve:unheard-of"))[0] == 6
    assert (await client.get("/api/v1/things", headers={"X-API-Key": "zoe:free"})).json() == "zoe"


async def test_a_refusal_says_when_to_come_back(client: httpx2.AsyncClient) -> None:
    first = await client.get("/api/v1/things", headers={"X-API-Key": "ada:free"})
    assert (first.headers["ratelimit-limit"], first.headers["ratelimit-remaining"]) == ("6", "5")
    assert 1 <= int(first.headers["ratelimit-reset"]) <= 60
    _, refused = await until_refused(client, X_API_Key="ada:free")
    assert refused.json()["error"]["code"] == "rate_limited"
    assert refused.headers["ratelimit-remaining"] == "0"
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert refused.headers["x-request-id"]
    assert refused.headers["x-content-type-options"] == "nosniff"


async def test_a_burst_is_limited_by_itself(users: Users) -> None:
    async with client_of(application(users)) as client:
        allowed, refused = await until_refused(client, X_API_Key="corp:enterprise")
    assert allowed < 50
    assert refused.headers["retry-after"] == "1"


async def test_strangers_are_counted_by_their_address(users: Users) -> None:
    app = application(users)
    async with client_of(app) as one, client_of(app, "203.0.113.8") as other:
        allowed, _ = await until_refused(one)
        assert allowed == 6
        assert (await one.get("/api/v1/things", headers={"X-API-Key": "made-up"})).status_code == 429
        assert (await one.get("/api/v1/things", headers={"X-API-Key": "ada:free"})).status_code == 200
        assert (await other.get("/api/v1/things")).status_code == 401


async def test_a_customers_ipv6_network_is_one_address(users: Users) -> None:
    app = application(users)
    async with client_of(app, "2001:db8:1:1::1") as one, client_of(app, "2001:db8:1:1:ffff::2") as same:
        await until_refused(one)
        assert (await same.get("/api/v1/things")).status_code == 429
    async with client_of(app, "2001:db8:1:2::1") as other:
        assert (await other.get("/api/v1/things")).status_code == 401


async def test_health_metrics_and_the_page_go_free(users: Users) -> None:
    async with client_of(application(users)) as client:
        await until_refused(client)
        for path in ("/health", "/metrics", "/version", "/page"):
            answer = await client.get(path)
            assert (answer.status_code, "ratelimit-limit" in answer.headers) == (200, False)


async def test_thumbnails_go_free_for_users_but_not_for_strangers(users: Users) -> None:
    async with client_of(application(users)) as client:
        mine = [await client.get("/api/v1/file/a/thumbnail", headers={"X-API-Key": "ann:free"}) for _ in range(10)]
        assert {answer.status_code for answer in mine} == {200}
        strange = [await client.get("/api/v1/file/a/thumbnail") for _ in range(10)]
        assert {answer.status_code for answer in strange} == {401, 429}


async def test_who_asks_is_found_out_once(users: Users) -> None:
    async with client_of(application(users)) as client:
        assert (await client.get("/api/v1/things", headers={"X-API-Key": "ada:free"})).json() == "ada"
        assert users.asked == 1
        suspended = await client.get("/api/v1/things", headers={"X-API-Key": "ada:suspended"})
        assert suspended.status_code == 403


async def test_a_database_that_is_away_is_said_by_the_route(users: Users) -> None:
    users.away = True
    async with client_of(application(users)) as client:
        assert (await client.get("/api/v1/things", headers={"X-API-Key": "ada:free"})).status_code == 503


async def test_instances_share_their_counters(users: Users, redis_url: str) -> None:
    async with client_of(application(users, redis_url)) as one, client_of(application(users, redis_url)) as other:
        await until_refused(one, X_API_Key="ada:free")
        assert (await other.get("/api/v1/things", headers={"X-API-Key": "ada:free"})).status_code == 429


async def test_a_store_that_is_away_lets_everything_through_and_says_so(users: Users) -> None:
    before = REGISTRY.get_sample_value("rate_limit_store_errors_total") or 0
    async with client_of(application(users, "redis://127.0.0.1:1")) as client:
        for _ in range(10):
            assert (await client.get("/api/v1/things", headers={"X-API-Key": "ada:free"})).status_code == 200
    assert REGISTRY.get_sample_value("rate_limit_store_errors_total") == before + 10


def test_tiers_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RATE_LIMITS", '{"pro": {"per_minute": 7, "burst": 3}}')
    limits = EdgeSettings().rate_limits
    assert limits.of("pro") == RateLimit(per_minute=7, burst=3)
    assert limits.of("free") == limits.of("no such tier") == RateLimit(per_minute=100, burst=20)


async def test_counters_in_memory_are_looked_through_seldom_and_do_not_stay() -> None:
    counters = Counters()
    limiter = SlidingWindowCounterRateLimiter(counters)
    for number in range(50):
        assert await limiter.hit(RateLimitItemPerSecond(5), f"caller {number}")
    sweep = counters.timer
    assert sweep is not None
    await asyncio.sleep(0)
    assert not sweep.done()
    counters.expirations = dict.fromkeys(counters.expirations, 0.0)
    assert await limiter.hit(RateLimitItemPerMinute(5), "somebody")
    assert counters.timer is sweep
    await sweep
    assert len(counters.storage) == len(counters.expirations) == 1
