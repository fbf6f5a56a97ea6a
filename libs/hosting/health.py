"""``/health``, ``/health/ready`` (names what is down), ``/version`` and ``/metrics`` of every service."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response

from hosting import metrics

Check = Callable[[], Awaitable[None]]
"""Raises when its dependency is down."""

_CHECK_TIMEOUT_S = 3.0


@dataclass(frozen=True)
class Release:
    """What runs here: the version people know and the commit it was built from."""

    version: str
    revision: str


SOURCE = Release("0.1.0", "source")
"""For an application that no image and no settings were made for, such as a test's."""


def health_router(
    service: str,
    release: Release,
    checks: Mapping[str, Check],
    notices: Sequence[str],
    shared_metrics: Path | None,
) -> APIRouter:
    """The operator's routes; readiness runs every check at once and answers 503 naming those that failed.

    ``notices`` say what this service does without although it could do more, such as an optional model.
    """
    router = APIRouter(include_in_schema=False)

    @router.get("/health")
    async def alive() -> dict[str, str]:
        return {"status": "ok", "service": service}

    @router.get("/health/ready")
    async def ready() -> JSONResponse:
        results = await asyncio.gather(*(_outcome(check) for check in checks.values()))
        report = dict(zip(checks, results, strict=True))
        down = [name for name, result in report.items() if result != "ok"]
        body = {"status": "unavailable" if down else "ok", "service": service, "checks": report, "down": down}
        body["notices"] = list(notices)
        return JSONResponse(body, status_code=503 if down else 200)

    @router.get("/version")
    async def running_version() -> dict[str, str]:
        return {"service": service, "version": release.version, "revision": release.revision}

    @router.get("/metrics")
    async def exposition() -> Response:
        return await asyncio.to_thread(metrics.exposition, shared_metrics)

    _ = (alive, ready, running_version, exposition)
    return router


async def _outcome(check: Check) -> str:
    try:
        async with asyncio.timeout(_CHECK_TIMEOUT_S):
            await check()
    except Exception as error:
        return f"{type(error).__name__}: {str(error)[:200]}"
    return "ok"
