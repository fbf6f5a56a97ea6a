"""Builds a service's FastAPI application: routes, envelope, errors, health and tracing, the same for all five."""

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware

from contracts.artifacts import Service
from hosting.answers import Answer, ApiError, on_api_error, on_http_error, on_outage, on_validation_error
from hosting.health import SOURCE, Check, Release, health_router
from hosting.middleware import RequestContext
from hosting.routes import add_routes, answer_head
from telemetry.requests import ServerSpans

API_ROOT = "/api/v1"
_REFUSED: dict[int | str, dict[str, Any]] = {
    "4XX": {"model": Answer[None], "description": "Refused; `error.code` says why. The codes are in docs/api.md."},
    "503": {"model": Answer[None], "description": "A part of the system is away for the moment."},
}


def create_app(
    service: Service,
    *,
    routers: Sequence[APIRouter] = (),
    checks: Mapping[str, Check] | None = None,
    running: Callable[[], AbstractAsyncContextManager[None]] | None = None,
    docs_path: str = "docs",
    release: Release = SOURCE,
    shared_metrics: Path | None = None,
    notices: Sequence[str] = (),
) -> FastAPI:
    """The application. ``running`` is entered at start and left at stop: doors, relays and pools live in it."""
    app = FastAPI(
        title=f"mmsearch {service.value}",
        version=release.version,
        lifespan=_entering(running or nullcontext),
        docs_url=f"{API_ROOT}/{docs_path}",
        openapi_url=f"{API_ROOT}/{docs_path}/openapi.json",
        redoc_url=None,
        responses=_REFUSED,
        telemetry={"tracing": False, "metrics": False, "logs": False},
        exception_handlers={
            ConnectionError: on_outage,
            ApiError: on_api_error,
            HTTPException: on_http_error,
            RequestValidationError: on_validation_error,
        },
    )
    # Routes are tried in their order: the service's own are asked most.
    for router in (*routers, health_router(service.value, release, checks or {}, notices, shared_metrics)):
        add_routes(app, router)
    answer_head(app)
    app.user_middleware += [Middleware(ServerSpans), Middleware(RequestContext, service=service.value)]
    return app


def _entering(
    running: Callable[[], AbstractAsyncContextManager[None]],
) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncGenerator[None, None]:
        async with running():
            yield

    return lifespan
