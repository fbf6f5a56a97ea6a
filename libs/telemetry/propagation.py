"""Carries trace context across HTTP, buckets and events, and gives a dropped object the trace nobody started.

A file dropped into the bucket has no request whose trace it could join. Trace and span id of its root are therefore
derived from (bucket, object, generation): every service that hears of the object finds the same trace by itself.
"""

import hashlib
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.trace.id_generator import IdGenerator, RandomIdGenerator
from opentelemetry.trace import SpanContext, SpanKind, TraceFlags
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

_PROPAGATOR = TraceContextTextMapPropagator()
_LONGEST_STATE = 512
"""Characters of a ``tracestate`` that the standard wants passed on; an attribute of a message may have 1024 bytes."""

_next_ids: ContextVar[SpanContext | None] = ContextVar("next_ids", default=None)


class ObjectAwareIdGenerator(IdGenerator):
    """Random ids, except while :func:`start_object_trace` asks for the derived ones."""

    def __init__(self) -> None:
        self._random = RandomIdGenerator()

    def generate_trace_id(self) -> int:
        """16 bytes as an integer."""
        chosen = _next_ids.get()
        return chosen.trace_id if chosen else self._random.generate_trace_id()

    def generate_span_id(self) -> int:
        """8 bytes as an integer."""
        chosen = _next_ids.get()
        return chosen.span_id if chosen else self._random.generate_span_id()


def carrier() -> dict[str, str]:
    """The current context as ``traceparent`` (and ``tracestate``); empty outside a span."""
    headers: dict[str, str] = {}
    _PROPAGATOR.inject(headers)
    return headers


def context_of(traceparent: str | None, tracestate: str | None = None) -> Context:
    """The remote context to continue; empty if ``traceparent`` cannot be read. A long ``tracestate`` is left out."""
    if traceparent is None:
        return Context()
    state = tracestate if tracestate and len(tracestate) <= _LONGEST_STATE else ""
    return _PROPAGATOR.extract({"traceparent": traceparent, "tracestate": state}, Context())


def object_traceparent(bucket: str, name: str, generation: int) -> str:
    """The ``traceparent`` every service derives for an object that arrived without one."""
    ids = _object_span(bucket, name, generation)
    return f"00-{ids.trace_id:032x}-{ids.span_id:016x}-01"


def start_object_trace(bucket: str, name: str, generation: int) -> None:
    """Emits the root span of a dropped object's trace, with the derived ids."""
    with _ids(_object_span(bucket, name, generation)):
        span = trace.get_tracer(__name__).start_span(
            f"create {bucket}",
            context=Context(),
            kind=SpanKind.PRODUCER,
            # Not the object's name: it holds the file's, which is its owner's words.
            attributes={"gcp.gcs.bucket": bucket, "gcp.gcs.generation": generation},
        )
    span.end()


def current_trace_id() -> str | None:
    """32 hex characters, or None outside a span."""
    context = trace.get_current_span().get_span_context()
    return f"{context.trace_id:032x}" if context.is_valid else None


def trace_id_of(traceparent: str | None) -> str | None:
    """The trace id inside a ``traceparent``, or None if it holds none."""
    context = trace.get_current_span(context_of(traceparent)).get_span_context()
    return f"{context.trace_id:032x}" if context.is_valid else None


def _object_span(bucket: str, name: str, generation: int) -> SpanContext:
    digest = hashlib.sha256(f"{bucket}/{name}#{generation}".encode()).digest()
    return SpanContext(
        trace_id=int.from_bytes(digest[:16], "big") or 1,
        span_id=int.from_bytes(digest[16:24], "big") or 1,
        is_remote=True,
        trace_flags=TraceFlags(TraceFlags.SAMPLED),
    )


@contextmanager
def _ids(chosen: SpanContext) -> Generator[None, None, None]:
    token = _next_ids.set(chosen)
    try:
        yield
    finally:
        _next_ids.reset(token)
