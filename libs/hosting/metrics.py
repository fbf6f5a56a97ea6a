"""Prometheus metrics of every service's HTTP side, and the route that shows all of a service's metrics.

Where ``PROMETHEUS_MULTIPROC_DIR`` names a directory, the processes of a service that share it are shown as one:
counters and histograms are summed, gauges as each says itself.
"""

import os
import re
from contextlib import AbstractContextManager
from functools import cache
from pathlib import Path

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from starlette.responses import Response
from starlette.types import Scope

_REQUESTS = Counter("http_requests", "Requests answered", ["service", "method", "route", "status"])
_DURATION = Histogram("http_request_duration_seconds", "Time to answer", ["service", "method", "route"])
_IN_PROGRESS = Gauge(
    "http_requests_in_progress", "Requests being answered", ["service"], multiprocess_mode="livesum"
)  # fmt: skip
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_LIVE_FILE = re.compile(r"gauge_live\w+_(\d+)\.db")


def observe_request(service: str, scope: Scope, status: int, seconds: float) -> None:
    """Counts one request under its route template (never its path: ids would make endless series)."""
    method, route = _method(scope), _route(scope)
    _answered(service, method, route, status or 499).inc()
    _took(service, method, route).observe(seconds)


def action_of(scope: Scope) -> str:
    """What was asked for, ``GET /api/v1/upload/{upload_id}``: for log lines."""
    return f"{_method(scope)} {_route(scope)}"


def in_progress(service: str) -> AbstractContextManager[None]:
    """Counts a request as being answered while inside."""
    return _in_progress(service).track_inprogress()


def exposition(shared: Path | None = None) -> Response:
    """``GET /metrics``: of this process, or of all that write to the directory ``shared``."""
    if shared is None:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
    _forget_the_dead(shared)
    registry = CollectorRegistry()
    MultiProcessCollector(registry, str(shared))
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


def retire(shared: Path | None) -> None:
    """Takes this process's gauges out of the directory; what it counted stays."""
    if shared is not None:
        mark_process_dead(os.getpid(), str(shared))


def _forget_the_dead(shared: Path) -> None:
    """A process that was killed could not retire."""
    pids = {int(match[1]) for path in shared.iterdir() if (match := _LIVE_FILE.fullmatch(path.name))}
    for pid in pids:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            mark_process_dead(pid, str(shared))
        except PermissionError:
            continue


@cache  # finding a series by its labels takes longer than counting; there are as many as routes and statuses
def _answered(service: str, method: str, route: str, status: int) -> Counter:
    return _REQUESTS.labels(service, method, route, status)


@cache
def _took(service: str, method: str, route: str) -> Histogram:
    return _DURATION.labels(service, method, route)


@cache
def _in_progress(service: str) -> Gauge:
    return _IN_PROGRESS.labels(service)


def _method(scope: Scope) -> str:
    method = str(scope["method"])
    return method if method in _METHODS else "OTHER"


def _route(scope: Scope) -> str:
    return str(getattr(scope.get("route"), "path", "unmatched"))
