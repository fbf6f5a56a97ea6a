"""Routes that are called straight away answer as FastAPI does: same order of refusals, same words, same declaration.
No body is read before it is known who sends it, and none without a limit.
"""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Annotated

import httpx2
import pytest
from fastapi import APIRouter, Depends, FastAPI, Path, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.security import APIKeyHeader, HTTPAuthorizationCredentials, HTTPBearer
from pydantic import AfterValidator, BaseModel, ConfigDict, model_validator

from contracts.artifacts import Service
from hosting.answers import Answer, ApiError, not_found, on_api_error, on_validation_error, written
from hosting.app import create_app
from hosting.routes import MAX_BODY_BYTES, STREAMED, LiveResponse, Route, add_routes

KEY = {"X-API-Key": "right"}


class Wish(BaseModel):
    model_config = ConfigDict(extra="forbid")

    limit: int = 20
    sort: str | None = None

    @model_validator(mode="after")
    def _fits(self) -> "Wish":
        if self.limit > 90:
            raise ValueError("too many")
        return self


class Several(BaseModel):
    label: list[str] = []


def known(name: str) -> str:
    if name == "nobody":
        raise not_found("name")
    return name


async def caller(
    request: Request,
    key: Annotated[str | None, Depends(APIKeyHeader(name="X-API-Key", auto_error=False))],
    bearer: Annotated[HTTPAuthorizationCredentials | None, Depends(HTTPBearer(auto_error=False))],
) -> str:
    request.scope.setdefault("asked", []).append("caller")
    if key != "right" and (bearer is None or bearer.credentials != "right"):
        raise ApiError(401, "unauthenticated", "Who are you?")
    return "someone"


Caller = Annotated[str, Depends(caller)]


async def operator(found: Caller) -> str:
    return found + "!"


async def listed(by: Caller, wish: Annotated[Wish, Query()]) -> Response:
    return written(Answer(data={"by": by, "wish": str(wish)}))


async def several(wish: Annotated[Several, Query()]) -> Response:
    return written(Answer(data=wish.label))


async def one(
    name: Annotated[str, AfterValidator(known)],
    number: Annotated[int, Path(ge=1)],
    by: Caller,
    above: Annotated[str, Depends(operator)],
    request: Request,
    flag: bool = False,
) -> Response:
    return written(Answer(data=f"{name} {number} {by} {above} {flag} {request.scope['asked']}"))


async def plain(by: Caller, limit: Annotated[int, Query(le=5)] = 1) -> dict[str, str]:
    return {"by": by, "limit": str(limit)}


def things() -> APIRouter:
    """Anew for each application, whose routes it becomes."""
    router = APIRouter(prefix="/api", tags=["things"])
    router.get("/list", response_model=Answer[dict[str, str]])(listed)
    router.get("/several", response_model=Answer[list[str]])(several)
    router.get("/one/{name}/{number}", response_model=Answer[str])(one)
    router.get("/plain", deprecated=True, summary="Plain", operation_id="plain", response_model_exclude_none=True)(
        plain
    )
    return router


def application(*, ours: bool) -> FastAPI:
    app = FastAPI(exception_handlers={ApiError: on_api_error, RequestValidationError: on_validation_error})
    if ours:
        add_routes(app, things())
    else:
        app.include_router(things())
    return app


async def answered(app: FastAPI, path: str, headers: dict[str, str]) -> tuple[int, object]:
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://test") as client:
        response = await client.get("/api" + path, headers=headers)
    return response.status_code, {k: v for k, v in response.json().items() if k != "timestamp"}


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/list?limit=x", {}, 401),
        ("/list", KEY, 200),
        ("/list", {"Authorization": "Bearer right"}, 200),
        ("/list?limit=3&sort=a&limit=4", KEY, 200),
        ("/list?limit=x&sort=", KEY, 422),
        ("/list?limit=99", KEY, 422),
        ("/list?unknown=1&unknown=2&limit=", KEY, 422),
        ("/several?label=a&label=b", {}, 200),
        ("/one/a/1?flag=yes", KEY, 200),
        ("/one/a/0?flag=perhaps", KEY, 422),
        ("/one/a/x", {}, 401),
        ("/one/nobody/1", KEY, 404),
        ("/plain?limit=6", {}, 401),
        ("/plain?limit=6", KEY, 422),
        ("/plain", KEY, 200),
        ("/nowhere", KEY, 404),
    ],
)
async def test_answers_are_those_of_fastapi(path: str, headers: dict[str, str], status: int) -> None:
    ours = await answered(application(ours=True), path, headers)
    assert ours[0] == status
    assert ours == await answered(application(ours=False), path, headers)


def test_what_is_declared_is_the_same() -> None:
    assert application(ours=True).openapi() == application(ours=False).openapi()


def test_what_a_route_needs_decides_who_calls_it() -> None:
    app = application(ours=True)
    direct = {route.path for route in app.routes if isinstance(route, Route) and route.straight}
    assert direct == {"/api/list", "/api/several", "/api/one/{name}/{number}"}


class Named(BaseModel):
    name: str


async def keep(wish: Named, by: Caller) -> dict[str, str]:
    return {"by": by, "name": wish.name}


async def above(wish: Named, by: Annotated[str, Depends(operator)]) -> dict[str, str]:
    return {"by": by, "name": wish.name}


async def length(by: Caller, request: Request) -> Response:
    return written(Answer(data={"by": by, "length": len(await request.body())}))


def taking() -> FastAPI:
    router = APIRouter(prefix="/api")
    router.post("/keep")(keep)
    router.post("/above")(above)
    router.post("/length")(length)
    router.post("/long", max_body_size=2 * MAX_BODY_BYTES)(length)
    router.post("/streamed", max_body_size=STREAMED)(length)
    return create_app(Service.SEARCH, routers=[router])


@dataclass
class Sent:
    """A JSON body of ``pieces`` of 16 KiB, of which it is noted how many were asked for."""

    pieces: int
    asked_for: int = 0

    async def __aiter__(self) -> AsyncGenerator[bytes, None]:
        for _ in range(self.pieces):
            self.asked_for += 1
            yield b" " * (16 * 1024)


ANNOUNCED = pytest.mark.parametrize("announced", [True, False], ids=["announced", "in chunks"])


async def posted(path: str, body: Sent, *, announced: bool, key: dict[str, str] = KEY) -> tuple[int, str | None]:
    headers = key | {"Content-Type": "application/json"}
    if announced:
        headers["Content-Length"] = str(body.pieces * 16 * 1024)
    transport = httpx2.ASGITransport(app=taking())
    async with httpx2.AsyncClient(transport=transport, base_url="http://test") as client:
        response = await client.post("/api" + path, content=aiter(body), headers=headers)
    return response.status_code, (response.json()["error"] or {}).get("code")


@ANNOUNCED
@pytest.mark.parametrize("path", ["/keep", "/above", "/length", "/long", "/streamed"])
async def test_who_asks_is_found_out_before_the_body_is_read(path: str, announced: bool) -> None:
    body = Sent(100)
    assert await posted(path, body, announced=announced, key={}) == (401, "unauthenticated")
    assert body.asked_for == 0


@ANNOUNCED
@pytest.mark.parametrize(("path", "pieces"), [("/keep", 4), ("/above", 4), ("/length", 4), ("/long", 8)])
async def test_a_body_is_read_as_far_as_its_route_allows(path: str, pieces: int, announced: bool) -> None:
    body = Sent(100)
    assert await posted(path, body, announced=announced) == (413, "body_size")
    assert body.asked_for == pieces + 1
    within = Sent(pieces)
    assert (await posted(path, within, announced=announced))[1] != "body_size"
    assert within.asked_for == pieces


async def test_a_route_that_streams_bounds_its_body_itself() -> None:
    assert await posted("/streamed", Sent(100), announced=False) == (200, None)


async def live(by: Caller) -> Response:
    raise AssertionError(f"{by} is not to be told for ever what is asked for by HEAD")


async def asked_by_head(path: str, key: dict[str, str] = KEY) -> httpx2.Response:
    router = things()
    router.post("/list")(keep)
    router.post("/taken")(keep)
    router.get("/live", response_class=LiveResponse)(live)
    app = create_app(Service.SEARCH, routers=[router])
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://test") as client:
        return await client.head(path, headers=key)


@pytest.mark.parametrize("path", ["/api/list", "/api/one/a/1", "/api/plain", "/health", "/metrics", "/version"])
async def test_what_can_be_got_can_be_asked_about(path: str) -> None:
    answer = await asked_by_head(path)
    assert (answer.status_code, answer.content) == (200, b"")
    assert int(answer.headers["Content-Length"]) > 0
    assert "" not in answer.headers.values(), "a header says something or is not there"


@pytest.mark.parametrize(
    ("path", "key", "status"),
    [("/api/list", {}, 401), ("/api/one/nobody/1", KEY, 404), ("/api/taken", KEY, 405), ("/api/live", KEY, 405)],
)
async def test_asking_about_is_refused_as_getting_is(path: str, key: dict[str, str], status: int) -> None:
    assert (await asked_by_head(path, key)).status_code == status
