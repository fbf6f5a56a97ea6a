"""Traces: taken in by trace, kept within bounds, put into a tree, drawn without letting a name become markup."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span, Status

from localcloud.traces import page
from localcloud.traces.intake import UnreadableError, pieces_of
from localcloud.traces.jaeger import jaeger_document
from localcloud.traces.spans import Kind, spans_of
from localcloud.traces.store import Bounds, TraceStore
from localcloud.traces.tree import rows_of, stage_times

MS = 1_000_000


def attribute(key: str, value: str | int | float) -> KeyValue:
    field = {str: "string_value", int: "int_value", float: "double_value"}[type(value)]
    return KeyValue(key=key, value=AnyValue(**{field: value}))


def span(trace: int, number: int, parent: int = 0, start_ms: int = 0, end_ms: int = 10, **options: object) -> Span:
    attributes = options.pop("attributes", {})
    assert isinstance(attributes, dict)
    return Span(
        trace_id=trace.to_bytes(16, "big"),
        span_id=number.to_bytes(8, "big"),
        parent_span_id=parent.to_bytes(8, "big") if parent else b"",
        start_time_unix_nano=start_ms * MS,
        end_time_unix_nano=end_ms * MS,
        attributes=[attribute(key, value) for key, value in attributes.items()],
        **{"name": f"span {number}", "kind": Span.SPAN_KIND_INTERNAL, **options},
    )


def request(*spans: Span, service: str = "search") -> bytes:
    resource = Resource(attributes=[attribute("service.name", service)])
    scopes = [ScopeSpans(spans=spans)]
    return ExportTraceServiceRequest(
        resource_spans=[ResourceSpans(resource=resource, scope_spans=scopes)]
    ).SerializeToString()


@pytest.fixture
def clock() -> list[float]:
    return [1_000_000.0]


@pytest.fixture
def store(tmp_path: Path, clock: list[float]) -> Iterator[TraceStore]:
    bounds = Bounds(event_traces=3, request_traces=2, age_s=100, total_bytes=4000, trace_bytes=2000, prune_every_s=10)
    opened = TraceStore(tmp_path / "t" / "traces.sqlite3", bounds, lambda: clock[0])
    yield opened
    opened.close()


def prune(store: TraceStore, clock: list[float]) -> None:
    """As happens by itself with what comes a while later."""
    clock[0] += 11
    store.add(())


def hex_id(trace: int) -> str:
    return f"{trace:032x}"


def test_a_request_is_cut_by_trace_and_summed_up() -> None:
    upload = {"mmsearch.upload_id": "upl_1"}
    status = Status(code=Status.STATUS_CODE_ERROR)
    pieces = pieces_of(
        request(
            span(1, 1, start_ms=5, end_ms=9, name="POST /x"),
            span(2, 2, 9),
            span(1, 3, 1, 7, 30, kind=Span.SPAN_KIND_CONSUMER, attributes=upload, status=status),
        )
    )
    first, second = pieces
    assert (first.spans, first.errors, first.root, first.upload_id, first.carries_events) == (
        2, 1, "POST /x", "upl_1", True,
    )  # fmt: skip
    assert (first.first_ns, first.last_ns, first.services) == (5 * MS, 30 * MS, {"search"})
    assert (second.root, second.carries_events) == (None, False)
    assert [s.name for s in spans_of(first.bodies)] == ["POST /x", "span 3"]


def test_gzip_is_understood_and_junk_is_refused() -> None:
    body = request(span(1, 1))
    assert pieces_of(gzip.compress(body), "gzip")[0].spans == 1
    bomb = gzip.compress(b"\0" * (65 * 1024 * 1024))
    for broken, encoding in ((b"junk", ""), (b"junk", "gzip"), (body, "br"), (gzip.compress(body)[:-9], "gzip")):
        with pytest.raises(UnreadableError):
            pieces_of(broken, encoding)
    with pytest.raises(UnreadableError, match="too much"):
        pieces_of(bomb, "gzip")


def test_ids_of_the_wrong_length_are_left_out() -> None:
    broken = span(1, 1)
    broken.trace_id = b"short"
    assert pieces_of(request(broken, span(2, 1)))[0].trace_id == (2).to_bytes(16, "big")


def test_pieces_of_a_trace_come_together(store: TraceStore) -> None:
    store.add(pieces_of(request(span(1, 2, 1, 20, 40), service="analyzer")))
    store.add(pieces_of(request(span(1, 1, start_ms=10, end_ms=15, name="root"))))
    (summary,) = store.recent(10)
    assert (summary.root, summary.spans, summary.services) == ("root", 2, ("analyzer", "search"))
    assert (summary.first_ns, summary.last_ns) == (10 * MS, 40 * MS)
    assert [s.name for s in spans_of(store.bodies(hex_id(1)))] == ["root", "span 2"]
    assert store.bodies(hex_id(9)) == []


def test_requests_never_push_events_out_and_the_newest_stay(store: TraceStore, clock: list[float]) -> None:
    for number in range(1, 6):
        store.add(pieces_of(request(span(number, 1, start_ms=number, kind=Span.SPAN_KIND_CONSUMER))))
    for number in range(11, 16):
        store.add(pieces_of(request(span(number, 1, start_ms=number, kind=Span.SPAN_KIND_SERVER))))
    prune(store, clock)
    assert [s.trace_id for s in store.recent(10, only_events=True)] == [hex_id(n) for n in (5, 4, 3)]
    assert [s.trace_id for s in store.recent(10)][:2] == [hex_id(15), hex_id(14)]
    assert len(store.recent(100)) == 5
    assert store.bodies(hex_id(1)) == []


def test_what_is_old_goes(store: TraceStore, clock: list[float]) -> None:
    store.add(pieces_of(request(span(1, 1))))
    clock[0] += 60
    store.add(pieces_of(request(span(2, 1, start_ms=1))))
    clock[0] += 60
    prune(store, clock)
    assert [s.trace_id for s in store.recent(10)] == [hex_id(2)]


def test_bytes_are_bounded_in_all_and_by_trace(store: TraceStore, clock: list[float]) -> None:
    big = {"x": "y" * 1500}
    store.add(pieces_of(request(span(1, 1, start_ms=1, attributes=big))))
    store.add(pieces_of(request(span(1, 2, start_ms=1, attributes=big))))
    assert len(store.bodies(hex_id(1))) == 1, "a trace without end does not grow without end"
    for number in (2, 3, 4):
        store.add(pieces_of(request(span(number, 1, start_ms=number, attributes=big, kind=Span.SPAN_KIND_CONSUMER))))
    prune(store, clock)
    assert [s.trace_id for s in store.recent(10)] == [hex_id(4), hex_id(3)]


def test_a_tree_has_children_below_parents_and_waiting_before_work() -> None:
    spans = spans_of(
        body
        for piece in pieces_of(
            request(
                span(1, 4, 3, 50, 60, kind=Span.SPAN_KIND_CONSUMER, name="process s"),
                span(1, 3, 1, 10, 20, kind=Span.SPAN_KIND_PRODUCER),
                span(1, 1, 0, 0, 30),
                span(1, 2, 1, 5, 6),
                span(1, 7, 99, 70, 80),
                span(1, 8, 4, 51, 52, kind=Span.SPAN_KIND_CONSUMER, attributes={"mmsearch.queued_ms": 7.5}),
            )
        )
        for body in piece.bodies
    )
    rows = rows_of(spans)
    assert [(row.span.span_id[-1], row.depth) for row in rows] == [
        ("1", 0), ("2", 1), ("3", 1), ("4", 2), ("8", 3), ("7", 0),
    ]  # fmt: skip
    waited = {row.span.span_id[-1]: row.waited_ns for row in rows}
    assert (waited["4"], waited["8"], waited["2"]) == (30 * MS, 7_500_000, 0)
    assert [(time.name, time.worked_ns) for time in stage_times(rows)] == [("process s", 10 * MS), ("span 8", MS)]


def test_spans_in_a_circle_are_shown_once() -> None:
    bodies = [
        body for piece in pieces_of(request(span(1, 1, 2), span(1, 2, 1), span(1, 3, 3))) for body in piece.bodies
    ]
    assert sorted(row.span.span_id[-1] for row in rows_of(spans_of(bodies))) == ["1", "2", "3"]


def test_names_and_attributes_never_become_markup() -> None:
    evil = '<script>alert("x")</script>'
    body = request(span(1, 1, name=evil, attributes={evil: evil}), service=evil)
    spans = spans_of(pieces_of(body)[0].bodies)
    html = page.trace_page(hex_id(1), spans)
    assert "<script" not in html
    assert "&lt;script&gt;" in html
    assert "style=" not in html, "the policy allows no inline style"


def test_jaegers_json_has_what_its_page_reads() -> None:
    status = Status(code=Status.STATUS_CODE_ERROR, message="no")
    link = Span.Link(trace_id=(5).to_bytes(16, "big"), span_id=(6).to_bytes(8, "big"))
    body = request(
        span(1, 1, start_ms=2, end_ms=5),
        span(1, 2, 1, 3, 4, kind=Span.SPAN_KIND_CLIENT, attributes={"n": 3}, status=status, links=[link]),
    )
    document = jaeger_document(hex_id(1), spans_of(pieces_of(body)[0].bodies))
    (trace,) = json.loads(json.dumps(document))["data"]
    assert trace["traceID"] == hex_id(1)
    assert trace["processes"] == {"p1": {"serviceName": "search", "tags": []}}
    root, child = trace["spans"]
    assert (root["startTime"], root["duration"], root["references"]) == (2000, 3000, [])
    assert [(r["refType"], r["spanID"]) for r in child["references"]] == [
        ("CHILD_OF", root["spanID"]),
        ("FOLLOWS_FROM", f"{6:016x}"),
    ]
    tags = {tag["key"]: (tag["type"], tag["value"]) for tag in child["tags"]}
    assert tags["n"] == ("int64", 3)
    assert tags["span.kind"] == ("string", "client")
    assert tags["error"] == ("bool", True)


def test_an_unknown_kind_is_no_reason_to_fail() -> None:
    odd = span(1, 1)
    odd.kind = 17  # type: ignore[assignment]
    assert spans_of(pieces_of(request(odd))[0].bodies)[0].kind is Kind.UNSPECIFIED
