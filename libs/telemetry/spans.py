"""Spans of the pipeline under the messaging conventions, so that one upload reads as one tree in Jaeger.

``process <subscription>`` CONSUMER hangs below the ``create <topic>`` PRODUCER of its event and links to it.
"""

from collections.abc import Generator
from contextlib import contextmanager

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Link, Span, SpanKind, StatusCode

_SYSTEM = {"messaging.system": "gcp_pubsub"}
_tracer = trace.get_tracer("mmsearch")


@contextmanager
def consumer(
    subscription: str, topic: str, parent: Context, *, message_id: str, attempt: int | None
) -> Generator[Span, None, None]:
    """The span of one delivery; an exception that leaves it marks it failed."""
    creation = trace.get_current_span(parent).get_span_context()
    attributes = _SYSTEM | {
        "messaging.operation.name": "process",
        "messaging.operation.type": "process",
        "messaging.destination.name": topic,
        "messaging.destination.subscription.name": subscription,
        "messaging.message.id": message_id,
    }
    with _tracer.start_as_current_span(
        f"process {subscription}",
        context=parent,
        kind=SpanKind.CONSUMER,
        attributes=attributes,
        links=[Link(creation)] if creation.is_valid else [],
    ) as span:
        if attempt is not None:
            span.set_attribute("messaging.gcp_pubsub.message.delivery_attempt", attempt)
        yield span


@contextmanager
def producer(topic: str, event_id: str) -> Generator[Span, None, None]:
    """The span an event is created in; its context travels in the event."""
    attributes = _SYSTEM | {
        "messaging.operation.name": "create",
        "messaging.operation.type": "create",
        "messaging.destination.name": topic,
        "cloudevents.event_id": event_id,
    }
    with _tracer.start_as_current_span(f"create {topic}", kind=SpanKind.PRODUCER, attributes=attributes) as span:
        yield span


@contextmanager
def internal(name: str, **attributes: str | int | float | bool) -> Generator[Span, None, None]:
    """A span of work inside this process."""
    with _tracer.start_as_current_span(name, attributes=attributes) as span:
        yield span


def mark(**attributes: str | int | float | bool) -> None:
    """Adds attributes to the current span."""
    trace.get_current_span().set_attributes({f"mmsearch.{name}": value for name, value in attributes.items()})


def failed(reason: str) -> None:
    """Marks the current span as failed."""
    trace.get_current_span().set_status(StatusCode.ERROR, reason)
