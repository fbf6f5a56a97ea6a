"""Turns a service name and an OTLP endpoint into the process's tracer provider; called once from ``main.py``."""

from contextlib import suppress

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from telemetry.propagation import ObjectAwareIdGenerator
from telemetry.sampling import own_sampler

EXPORT_DELAY_MS = 1000
"""Short, because Cloud Run slows a service's threads between requests."""


def configure(service: str, version: str, endpoint: str | None, *, reads_per_second: float = 20) -> TracerProvider:
    """Sets the global tracer provider; without ``endpoint`` spans are made (ids in logs and answers) but not sent.

    ``endpoint`` is an OTLP/HTTP base address such as ``http://localhost:4318``. ``reads_per_second`` bounds how many
    requests that change nothing are recorded (see :mod:`telemetry.sampling`).
    """
    provider = TracerProvider(
        resource=Resource.create({"service.name": service, "service.version": version}),
        sampler=own_sampler(reads_per_second),
        id_generator=ObjectAwareIdGenerator(),
    )
    if endpoint:
        exporter = OTLPSpanExporter(endpoint=endpoint.rstrip("/") + "/v1/traces", timeout=5)
        provider.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=EXPORT_DELAY_MS))
    trace.set_tracer_provider(provider)
    return provider


def instrument_engine(engine: object, namespace: str) -> None:
    """Client spans for every statement of a SQLAlchemy engine that belongs to a recorded trace."""
    from telemetry import sql  # noqa: PLC0415 - only two services have SQLAlchemy

    sql.instrument(engine, namespace)  # pyright: ignore[reportArgumentType]


def shutdown(provider: TracerProvider) -> None:
    """Sends what is still buffered; never raises."""
    with suppress(Exception):
        provider.shutdown()
