"""The spans of a trace into the JSON that Jaeger's own API answers and its page loads from a file."""

from collections.abc import Sequence
from typing import Any

from localcloud.traces.spans import Happening, Kind, TraceSpan, Value

_KINDS = {
    Kind.SERVER: "server",
    Kind.CLIENT: "client",
    Kind.PRODUCER: "producer",
    Kind.CONSUMER: "consumer",
    Kind.INTERNAL: "internal",
}
_TYPES: dict[type, str] = {bool: "bool", int: "int64", float: "float64", str: "string"}


def jaeger_document(trace_id: str, spans: Sequence[TraceSpan]) -> dict[str, Any]:
    """``GET /api/traces/{trace_id}`` of Jaeger; times in microseconds."""
    names: dict[tuple[tuple[str, Value], ...], str] = {}
    for span in spans:
        names.setdefault(span.process, f"p{len(names) + 1}")
    processes = {
        name: {
            "serviceName": str(dict(process).get("service.name", "unknown")),
            "tags": [_tag(key, value) for key, value in process if key != "service.name"],
        }
        for process, name in names.items()
    }
    trace = {
        "traceID": trace_id,
        "spans": [_span(span, names[span.process]) for span in spans],
        "processes": processes,
        "warnings": None,
    }
    return {"data": [trace], "total": 1, "limit": 0, "offset": 0, "errors": None}


def _span(span: TraceSpan, process: str) -> dict[str, Any]:
    parent = [(span.trace_id, span.parent_id, "CHILD_OF")] if span.parent_id else []
    others = [(link.trace_id, link.span_id, "FOLLOWS_FROM") for link in span.links if link.span_id != span.parent_id]
    return {
        "traceID": span.trace_id,
        "spanID": span.span_id,
        "operationName": span.name,
        "references": [{"refType": kind, "traceID": trace, "spanID": of} for trace, of, kind in parent + others],
        "startTime": span.start_ns // 1000,
        "duration": span.duration_ns // 1000,
        "tags": _tags(span),
        "logs": [_log(happening) for happening in span.happenings],
        "processID": process,
        "warnings": None,
    }


def _tags(span: TraceSpan) -> list[dict[str, Any]]:
    tags = [_tag(key, value) for key, value in span.attributes.items()]
    if span.kind in _KINDS:
        tags.append(_tag("span.kind", _KINDS[span.kind]))
    if span.failed:
        tags += [_tag("error", value=True), _tag("otel.status_code", "ERROR")]
        if span.status_text:
            tags.append(_tag("otel.status_description", span.status_text))
    return tags


def _log(happening: Happening) -> dict[str, Any]:
    fields = [_tag("event", happening.name), *(_tag(key, value) for key, value in happening.attributes.items())]
    return {"timestamp": happening.at_ns // 1000, "fields": fields}


def _tag(key: str, value: Value) -> dict[str, Any]:
    return {"key": key, "type": _TYPES[type(value)], "value": value}
