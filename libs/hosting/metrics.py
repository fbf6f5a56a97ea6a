"""Prometheus metrics of every service's HTTP side, and the route that shows them."""

from collections.abc import Generator
from contextlib import contextmanager

from prometheus_client import CONTENT_TYPE_LATEST, Counter, Gauge, Histogram, generate_latest
from starlette.responses import Response
from starlette.types import Scope

_REQUESTS = Counter("http_requests", "Requests answered", ["service", "method", "route", "status"])
_DURATION = Histogram("http_request_duration_seconds", "Time to answer", ["service", "method", "route"])
_IN_PROGRESS = Gauge("http_requests_in_progress", "Requests being answered", ["service"])


def observe_request(service: str, scope: Scope, status: int, seconds: float) -> None:
    """Counts one request under its route template (never its path: ids would make endless series)."""
    route = getattr(scope.get("route"), "path", "unmatched")
    _REQUESTS.labels(service, scope["method"], route, status or 499).inc()
    _DURATION.labels(service, scope["method"], route).observe(seconds)


@contextmanager
def in_progress(service: str) -> Generator[None, None, None]:
    """Counts a request as being answered while inside."""
    with _IN_PROGRESS.labels(service).track_inprogress():
        yield


def exposition() -> Response:
    """``GET /metrics``."""
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
