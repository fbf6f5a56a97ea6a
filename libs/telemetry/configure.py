"""Turns a service name and an OTLP endpoint into the process's tracer provider; called once from ``main.py``."""

from contextlib import suppress

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased

from telemetry.propagation import ObjectAwareIdGenerator

EXPORT_DELAY_MS = 1000
"""Short, because Cloud Run slows a service's threads between requests (FACTS 3.4)."""


def configure(service: str, version: str, endpoint: str | None, *, sample_ratio: float = 1.0) -> TracerProvider:
    """Sets the global tracer provider; without ``endpoint`` spans are made (ids in logs and answers) but not sent.

    ``endpoint`` is an OTLP/HTTP base address such as ``http://localhost:4318``.
    """
    provider = TracerProvider(
        resource=Resource.create({"service.name": service, "service.version": version}),
        sampler=ParentBased(TraceIdRatioBased(sample_ratio)),
        id_generator=ObjectAwareIdGenerator(),
    )
    if endpoint:
        exporter = OTLPSpanExporter(endpoint=endpoint.rstrip("/") + "/v1/traces", timeout=5)
        provider.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=EXPORT_DELAY_MS))
    trace.set_tracer_provider(provider)
    return provider


def instrument_app(app: object) -> None:
    """Server spans for a FastAPI application, without its health and metrics routes."""
    FastAPIInstrumentor.instrument_app(app, excluded_urls="health,metrics,version", exclude_spans=["receive", "send"])  # pyright: ignore[reportArgumentType]


def instrument_engine(engine: object) -> None:
    """Client spans for every statement of a SQLAlchemy engine."""
    from opentelemetry.instrumentation.sqlalchemy import SQLAlchemyInstrumentor  # noqa: PLC0415 - only two services have it

    # Its metadata stops at SQLAlchemy 2.0; the event hooks it uses are the same in 2.1.
    SQLAlchemyInstrumentor().instrument(engine=engine, skip_dep_check=True)


def shutdown(provider: TracerProvider) -> None:
    """Sends what is still buffered; never raises."""
    with suppress(Exception):
        provider.shutdown()
