"""``/health``, ``/health/ready`` (names what is down), ``/version`` and ``/metrics`` of every service."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response

from hosting import metrics

Check = Callable[[], Awaitable[None]]
"""Raises when its dependency is down."""

_CHECK_TIMEOUT_S = 3.0


def health_router(service: str, version: str, checks: Mapping[str, Check]) -> APIRouter:
    """The operator's routes; readiness runs every check at once and answers 503 naming those that failed."""
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
        return JSONResponse(body, status_code=503 if down else 200)

    @router.get("/version")
    async def running_version() -> dict[str, str]:
        return {"service": service, "version": version}

    @router.get("/metrics")
    async def exposition() -> Response:
        return metrics.exposition()

    _ = (alive, ready, running_version, exposition)
    return router


async def _outcome(check: Check) -> str:
    try:
        async with asyncio.timeout(_CHECK_TIMEOUT_S):
            await check()
    except Exception as error:
        return f"{type(error).__name__}: {str(error)[:200]}"
    return "ok"
