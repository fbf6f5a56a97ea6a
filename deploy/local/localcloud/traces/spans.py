"""Spans as OTLP carries them into spans as pages and exports need them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum

from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, Span, Status

Value = str | int | float | bool


class Kind(IntEnum):
    """OTLP's span kinds."""

    UNSPECIFIED = 0
    INTERNAL = 1
    SERVER = 2
    CLIENT = 3
    PRODUCER = 4
    CONSUMER = 5


@dataclass(frozen=True)
class Happening:
    """An event inside a span, such as an exception."""

    name: str
    at_ns: int
    attributes: dict[str, Value]


@dataclass(frozen=True)
class Link:
    """A span another one refers to besides its parent; ids in hex."""

    trace_id: str
    span_id: str


@dataclass(frozen=True)
class TraceSpan:
    """One span; ids in hex, ``parent_id`` empty for a root, times in nanoseconds since 1970."""

    trace_id: str
    span_id: str
    parent_id: str
    service: str
    name: str
    kind: Kind
    start_ns: int
    end_ns: int
    failed: bool
    status_text: str
    attributes: dict[str, Value]
    links: tuple[Link, ...] = ()
    happenings: tuple[Happening, ...] = ()
    process: tuple[tuple[str, Value], ...] = ()

    @property
    def duration_ns(self) -> int:
        """Never negative, whatever a clock did."""
        return max(self.end_ns - self.start_ns, 0)


def spans_of(bodies: Iterable[bytes]) -> list[TraceSpan]:
    """The spans in serialized ``ResourceSpans``, by start; one that was sent twice counts once."""
    found: dict[str, TraceSpan] = {}
    for body in bodies:
        resource = ResourceSpans.FromString(body)
        process = tuple(attributes_of(resource.resource.attributes).items())
        for scope in resource.scope_spans:
            for span in scope.spans:
                found[span.span_id.hex()] = _span(span, process)
    return sorted(found.values(), key=lambda span: (span.start_ns, span.span_id))


def attributes_of(pairs: Iterable[KeyValue]) -> dict[str, Value]:
    """Attributes as plain values; lists become text."""
    return {pair.key: _plain(pair.value) for pair in pairs}


def service_of(resource: ResourceSpans) -> str:
    """``service.name`` of the process the spans come from."""
    return next((a.value.string_value for a in resource.resource.attributes if a.key == "service.name"), "unknown")


def _span(span: Span, process: Sequence[tuple[str, Value]]) -> TraceSpan:
    return TraceSpan(
        trace_id=span.trace_id.hex(),
        span_id=span.span_id.hex(),
        parent_id=span.parent_span_id.hex(),
        service=str(dict(process).get("service.name", "unknown")),
        name=span.name,
        kind=Kind(span.kind) if span.kind in set(Kind) else Kind.UNSPECIFIED,
        start_ns=span.start_time_unix_nano,
        end_ns=span.end_time_unix_nano,
        failed=span.status.code == Status.STATUS_CODE_ERROR,
        status_text=span.status.message,
        attributes=attributes_of(span.attributes),
        links=tuple(Link(link.trace_id.hex(), link.span_id.hex()) for link in span.links),
        happenings=tuple(
            Happening(event.name, event.time_unix_nano, attributes_of(event.attributes)) for event in span.events
        ),
        process=tuple(process),
    )


def _plain(value: AnyValue) -> Value:
    match value.WhichOneof("value"):
        case "string_value":
            return value.string_value
        case "bool_value":
            return value.bool_value
        case "int_value":
            return value.int_value
        case "double_value":
            return value.double_value
        case "array_value":
            return ", ".join(str(_plain(each)) for each in value.array_value.values)
        case _:
            return ""
