"""Runs a service's application on one port until SIGTERM or Ctrl-C, letting requests in flight finish."""

from collections.abc import Callable
from typing import TypeVar

import uvicorn
from fastapi import FastAPI

from contracts.artifacts import Service
from hosting.app import VERSION
from hosting.settings import ServiceSettings
from telemetry import configure, logs

GRACE_S = 8
"""Less than the 10 s Cloud Run leaves between SIGTERM and SIGKILL."""

SettingsT = TypeVar("SettingsT", bound=ServiceSettings)


def run_service(service: Service, settings: SettingsT, build: Callable[[SettingsT], FastAPI]) -> None:
    """Logs and traces first, then the application; blocks until the process is told to stop."""
    logs.configure(service.value)
    provider = configure.configure(service.value, VERSION, settings.otel_exporter_otlp_endpoint)
    uvicorn.run(
        build(settings),
        host=settings.host,
        port=settings.port,
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=GRACE_S,
        timeout_keep_alive=75,
        server_header=False,
        log_config=None,
    )
    configure.shutdown(provider)
