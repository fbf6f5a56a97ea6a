"""Spans of the pipeline under the messaging and GenAI conventions, so that one upload reads as one tree in Jaeger.

``process <subscription>`` CONSUMER hangs below the ``create <topic>`` PRODUCER of its event and links to it. No span
holds what is in a file, or an exception's message: see :mod:`telemetry.failures`.
"""

from collections.abc import Generator, Mapping
from contextlib import contextmanager

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Link, Span, SpanKind, StatusCode

from telemetry.failures import describe

Attribute = str | int | float | bool

_SYSTEM: Mapping[str, Attribute] = {"messaging.system": "gcp_pubsub"}
_tracer = trace.get_tracer("mmsearch")


@contextmanager
def consumer(
    subscription: str,
    topic: str,
    parent: Context,
    *,
    message_id: str,
    attempt: int | None,
    queued_s: float = 0.0,
    upload_id: str | None = None,
) -> Generator[Span, None, None]:
    """The span of one delivery; an exception that leaves it marks it failed.

    ``queued_s`` is how long the message had been published before it was worked on.
    """
    creation = trace.get_current_span(parent).get_span_context()
    attributes: dict[str, Attribute] = {
        **_SYSTEM,
        "messaging.operation.name": "process",
        "messaging.operation.type": "process",
        "messaging.destination.name": topic,
        "messaging.destination.subscription.name": subscription,
        "messaging.message.id": message_id,
        "mmsearch.queued_ms": round(queued_s * 1000, 1),
    }
    if upload_id:
        attributes["mmsearch.upload_id"] = upload_id
    if attempt is not None:
        attributes["messaging.gcp_pubsub.message.delivery_attempt"] = attempt
    links = [Link(creation)] if creation.is_valid else []
    with _span(f"process {subscription}", SpanKind.CONSUMER, attributes, parent, links) as span:
        yield span


@contextmanager
def producer(topic: str, event_id: str) -> Generator[Span, None, None]:
    """The span an event is created in; its context travels in the event."""
    attributes: dict[str, Attribute] = {
        **_SYSTEM,
        "messaging.operation.name": "create",
        "messaging.operation.type": "create",
        "messaging.destination.name": topic,
        "cloudevents.event_id": event_id,
    }
    with _span(f"create {topic}", SpanKind.PRODUCER, attributes) as span:
        yield span


@contextmanager
def sending(topic: str) -> Generator[Span, None, None]:
    """A call to the broker; without a recorded trace around it (the relay) there is nothing to hang it below.

    Set ``messaging.message.id`` on it when the broker has answered.
    """
    if not trace.get_current_span().is_recording():
        yield trace.INVALID_SPAN
        return
    attributes: dict[str, Attribute] = {
        **_SYSTEM,
        "messaging.operation.name": "send",
        "messaging.operation.type": "send",
        "messaging.destination.name": topic,
    }
    with _span(f"send {topic}", SpanKind.CLIENT, attributes) as span:
        yield span


@contextmanager
def inference(operation: str, provider: str, model: str, *, remote: bool) -> Generator[Span, None, None]:
    """A call to a model: ``operation`` is ``chat``, ``embeddings`` or another of the GenAI conventions' names."""
    attributes: dict[str, Attribute] = {"gen_ai.operation.name": operation, "gen_ai.provider.name": provider}
    if model:
        attributes["gen_ai.request.model"] = model
    name = f"{operation} {model or provider}"
    with _span(name, SpanKind.CLIENT if remote else SpanKind.INTERNAL, attributes) as span:
        yield span


def tokens(input_tokens: int, output_tokens: int, cost_usd: float) -> None:
    """Notes on the current :func:`inference` span what the answer cost."""
    span = trace.get_current_span()
    span.set_attribute("gen_ai.usage.input_tokens", input_tokens)
    span.set_attribute("gen_ai.usage.output_tokens", output_tokens)
    span.set_attribute("mmsearch.cost_usd", cost_usd)


@contextmanager
def internal(name: str, **attributes: Attribute) -> Generator[Span, None, None]:
    """A span of work inside this process."""
    with _span(name, SpanKind.INTERNAL, attributes) as span:
        yield span


def mark(**attributes: Attribute) -> None:
    """Adds attributes to the current span."""
    trace.get_current_span().set_attributes({f"mmsearch.{name}": value for name, value in attributes.items()})


def failed(error: BaseException) -> None:
    """Marks the current span as failed."""
    _fail(trace.get_current_span(), error)


@contextmanager
def _span(
    name: str,
    kind: SpanKind,
    attributes: Mapping[str, Attribute],
    parent: Context | None = None,
    links: list[Link] | None = None,
) -> Generator[Span, None, None]:
    with _tracer.start_as_current_span(
        name,
        context=parent,
        kind=kind,
        attributes=attributes,
        links=links or [],
        record_exception=False,
        set_status_on_exception=False,
    ) as span:
        try:
            yield span
        except Exception as error:
            _fail(span, error)
            raise


def _fail(span: Span, error: BaseException) -> None:
    if span.is_recording():
        span.set_attribute("error.type", type(error).__qualname__)
        span.set_status(StatusCode.ERROR, describe(error))
