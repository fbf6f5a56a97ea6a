"""Routes that are called straight away answer as FastAPI does: same order of refusals, same words, same declaration."""

from typing import Annotated

import httpx2
import pytest
from fastapi import APIRouter, Depends, FastAPI, Path, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.security import APIKeyHeader, HTTPAuthorizationCredentials, HTTPBearer
from pydantic import AfterValidator, BaseModel, ConfigDict, model_validator

from hosting.answers import Answer, ApiError, not_found, on_api_error, on_validation_error, written
from hosting.routes import Route, add_routes

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
