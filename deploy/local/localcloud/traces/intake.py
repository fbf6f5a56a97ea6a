"""One OTLP export request into one piece per trace in it, each with what a list of traces shows."""

import zlib
from dataclasses import dataclass, field

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span, Status

from localcloud.traces.spans import service_of

MAX_BODY = 16 * 1024 * 1024
MAX_UNPACKED = 64 * 1024 * 1024
UPLOAD_ID = "mmsearch.upload_id"
"""The attribute by which the services' spans name the upload they work on."""

_HEADER = 15  # RFC 1952: a gzip member
_TRACE_ID, _SPAN_ID = 16, 8


class UnreadableError(ValueError):
    """Not an export request; the message says why."""


@dataclass
class Piece:
    """The spans of one trace in one request, as serialized ``ResourceSpans``, and their summary."""

    trace_id: bytes
    bodies: list[bytes] = field(default_factory=list[bytes])
    services: set[str] = field(default_factory=set[str])
    first_ns: int = 2**63 - 1
    last_ns: int = 0
    spans: int = 0
    errors: int = 0
    root: str | None = None
    upload_id: str | None = None
    carries_events: bool = False


def pieces_of(body: bytes, encoding: str = "") -> list[Piece]:
    """By trace. Raises :class:`UnreadableError`. ``encoding`` is the request's ``Content-Encoding``."""
    try:
        request = ExportTraceServiceRequest.FromString(_unpacked(body, encoding))
    except DecodeError as error:
        raise UnreadableError("not an OTLP export request") from error
    pieces: dict[bytes, Piece] = {}
    for resource in request.resource_spans:
        _take(resource, pieces)
    return list(pieces.values())


def _take(resource: ResourceSpans, pieces: dict[bytes, Piece]) -> None:
    parts: dict[bytes, ResourceSpans] = {}
    service = service_of(resource)
    for scope in resource.scope_spans:
        scopes: dict[bytes, ScopeSpans] = {}
        for span in scope.spans:
            trace_id = span.trace_id
            if len(trace_id) != _TRACE_ID or len(span.span_id) != _SPAN_ID:
                continue
            if trace_id not in scopes:
                part = parts.setdefault(trace_id, ResourceSpans(resource=resource.resource))
                scopes[trace_id] = part.scope_spans.add(scope=scope.scope)
            scopes[trace_id].spans.append(span)
            _note(pieces.setdefault(trace_id, Piece(trace_id)), span, service)
    for trace_id, part in parts.items():
        pieces[trace_id].bodies.append(part.SerializeToString())


def _note(piece: Piece, span: Span, service: str) -> None:
    piece.services.add(service)
    piece.first_ns = min(piece.first_ns, span.start_time_unix_nano)
    piece.last_ns = max(piece.last_ns, span.end_time_unix_nano)
    piece.spans += 1
    piece.errors += span.status.code == Status.STATUS_CODE_ERROR
    if not span.parent_span_id:
        piece.root = span.name
    if span.kind in (Span.SPAN_KIND_PRODUCER, Span.SPAN_KIND_CONSUMER):
        piece.carries_events = True
        piece.upload_id = piece.upload_id or next(
            (a.value.string_value for a in span.attributes if a.key == UPLOAD_ID), None
        )


def _unpacked(body: bytes, encoding: str) -> bytes:
    if encoding in {"", "identity"}:
        return body
    if encoding != "gzip":
        raise UnreadableError(f"content encoding {encoding[:20]} is not understood")
    unpacking = zlib.decompressobj(16 + _HEADER)
    try:
        plain = unpacking.decompress(body, MAX_UNPACKED)
    except zlib.error as error:
        raise UnreadableError("not gzip") from error
    if unpacking.unconsumed_tail or not unpacking.eof:
        raise UnreadableError("cut short, or too much when unpacked")
    return plain
