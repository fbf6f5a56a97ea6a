"""Runs a service's application on one port until SIGTERM or Ctrl-C, letting requests in flight finish."""

import gc
import signal
from collections.abc import Callable
from typing import TypeVar

import uvicorn
from fastapi import FastAPI

from contracts.artifacts import Service
from hosting import metrics
from hosting.coalescing import CoalescingProtocol
from hosting.settings import ServiceSettings
from telemetry import configure, logs

_PUSHED_GRACE_S = 8
"""Seconds for requests in flight: less than the 10 s Cloud Run leaves between SIGTERM and SIGKILL."""

_PULLING_GRACE_S = 2
"""Where messages are pulled: handlers are given their own seconds only after the requests have ended."""

SettingsT = TypeVar("SettingsT", bound=ServiceSettings)


def run_service(service: Service, settings: SettingsT, build: Callable[[SettingsT], FastAPI]) -> None:
    """Logs and traces first, then the application; blocks until the process is told to stop."""
    # uvicorn raises the signal again after a graceful end; without this handler that would skip what follows.
    signal.signal(signal.SIGTERM, _leave)
    logs.configure(service.value)
    provider = configure.configure(
        service.value,
        settings.mmsearch_version,
        settings.otel_exporter_otlp_endpoint,
        reads_per_second=settings.traced_reads_per_second,
    )
    try:
        application = build(settings)
        gc.freeze()  # what is there from the start stays: to look through it again took 0.14 ms of a large search
        uvicorn.run(
            application,
            http=CoalescingProtocol,
            host=settings.host,
            port=settings.port,
            log_level="warning",
            access_log=False,
            proxy_headers=False,  # whom to believe is told by TRUSTED_PROXIES alone (hosting.forwarded)
            timeout_graceful_shutdown=_PUSHED_GRACE_S if settings.push_audience else _PULLING_GRACE_S,
            timeout_keep_alive=75,
            server_header=False,
            log_config=None,
        )
    finally:
        configure.shutdown(provider)
        metrics.retire(settings.prometheus_multiproc_dir)


def _leave(_number: int, _frame: object) -> None:
    raise SystemExit(0)
