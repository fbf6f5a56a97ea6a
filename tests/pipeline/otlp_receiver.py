"""A real OTLP/HTTP receiver in the test process: keeps every span the services send."""

import gzip
from dataclasses import dataclass
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from tests.wire_server import Reply, Request, WireServer


@dataclass(frozen=True)
class Span:
    """A received span; ids in hex, ``parent_id`` empty for a root."""

    service: str
    name: str
    kind: int
    trace_id: str
    span_id: str
    parent_id: str
    links: tuple[str, ...]
    attributes: dict[str, Any]
    start_s: float
    end_s: float


class OtlpReceiver:
    """Listens on a free port of loopback while started."""

    def __init__(self) -> None:
        self.spans: list[Span] = []
        self._server = WireServer(self._receive)
        self.endpoint = self._server.url

    def start(self) -> None:
        self._server.start()

    def stop(self) -> None:
        self._server.stop()

    def _receive(self, request: Request) -> Reply:
        body = gzip.decompress(request.body) if request.headers.get("content-encoding") == "gzip" else request.body
        self.spans += _spans(ExportTraceServiceRequest.FromString(body))
        answer = ExportTraceServiceResponse().SerializeToString()
        return Reply(body=answer, headers={"content-type": "application/x-protobuf"})

    def trace(self, trace_id: str) -> list[Span]:
        return [span for span in list(self.spans) if span.trace_id == trace_id]


def _spans(request: ExportTraceServiceRequest) -> list[Span]:
    found: list[Span] = []
    for resource in request.resource_spans:
        names = {a.key: a.value.string_value for a in resource.resource.attributes}
        for scope in resource.scope_spans:
            found += [
                Span(
                    service=names["service.name"],
                    name=s.name,
                    kind=s.kind,
                    trace_id=s.trace_id.hex(),
                    span_id=s.span_id.hex(),
                    parent_id=s.parent_span_id.hex(),
                    links=tuple(link.span_id.hex() for link in s.links),
                    start_s=s.start_time_unix_nano / 1e9,
                    end_s=s.end_time_unix_nano / 1e9,
                    attributes={a.key: getattr(a.value, a.value.WhichOneof("value")) for a in s.attributes},
                )
                for s in scope.spans
            ]
    return found
