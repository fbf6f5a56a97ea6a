"""One trace from the POST (or the drop) over the bucket, every event and all five services to "indexed"."""

import time
from collections.abc import Iterator

import pytest

from contracts.artifacts import Service
from localcloud.samples import Sample
from tests.pipeline.local_system import LocalSystem, data_of, wait_for
from tests.pipeline.otlp_receiver import OtlpReceiver, Span

SERVER, CLIENT, PRODUCER, CONSUMER = 2, 3, 4, 5
CHAIN = [
    "process media-processor.object.finalized.v1",
    "create media.processed.v1",
    "process analyzer.media.processed.v1",
    "create media.analyzed.v1",
    "process embedder.media.analyzed.v1",
    "create media.embedded.v1",
    "process search.media.embedded.v1",
    "create media.indexed.v1",
    "process upload-gateway.media.indexed.v1",
]


@pytest.fixture(scope="module")
def receiver() -> Iterator[OtlpReceiver]:
    listening = OtlpReceiver()
    listening.start()
    yield listening
    listening.stop()


@pytest.fixture(scope="module")
def traced(receiver: OtlpReceiver, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalSystem]:
    running = LocalSystem(tmp_path_factory.mktemp("traced") / "data", OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint)
    running.start()
    yield running
    running.stop()


def _complete(receiver: OtlpReceiver, trace_id: str) -> dict[str, Span]:
    """The trace by span name once its last span has arrived."""

    seen, since = 0, time.monotonic()

    def nothing_more_comes() -> bool:
        # Every process sends on its own clock, about once a second: what ended earlier may still be on its way.
        nonlocal seen, since
        trace = receiver.trace(trace_id)
        if len(trace) != seen:
            seen, since = len(trace), time.monotonic()
        known = {span.span_id for span in trace} | {""}
        whole = {span.name for span in trace} >= set(CHAIN) and {span.parent_id for span in trace} <= known
        return whole and time.monotonic() - since > 1.5

    wait_for(nothing_more_comes, 30)
    return {span.name: span for span in receiver.trace(trace_id)}


def _ancestors(span: Span, trace: list[Span]) -> list[str]:
    by_id = {s.span_id: s for s in trace}
    names = []
    while span.parent_id in by_id:
        span = by_id[span.parent_id]
        names.append(span.name)
    return names


def _assert_chain(spans: dict[str, Span], trace: list[Span]) -> None:
    last = spans[CHAIN[-1]]
    line = [last.name, *_ancestors(last, trace)]
    in_order = [name for name in reversed(line) if name in CHAIN]
    assert in_order == CHAIN
    for name in CHAIN:
        expected = PRODUCER if name.startswith("create") else CONSUMER
        assert spans[name].kind == expected
        assert spans[name].attributes["messaging.system"] == "gcp_pubsub"
    for producer, consumer in zip(CHAIN[1::2], CHAIN[2::2], strict=True):
        assert spans[consumer].parent_id == spans[producer].span_id
        assert spans[producer].span_id in spans[consumer].links


def test_a_posted_file_is_one_trace_over_five_services(
    traced: LocalSystem, receiver: OtlpReceiver, samples: list[Sample]
) -> None:
    response = traced.upload(samples[0].path)
    trace_id = response.json()["trace_id"]
    upload_id = data_of(response)["upload_id"]
    assert traced.until_final(upload_id)["status"] == "completed"
    assert traced.status(upload_id)["trace_id"] == trace_id == response.headers["X-Trace-Id"]

    spans = _complete(receiver, trace_id)
    trace = receiver.trace(trace_id)
    assert {span.service for span in trace} == {service.value for service in Service}
    _assert_chain(spans, trace)
    post = next(span for span in trace if span.kind == SERVER)
    assert post.parent_id == ""
    assert post.name in _ancestors(spans[CHAIN[0]], trace)
    assert {span.parent_id for span in trace} <= {span.span_id for span in trace} | {""}


def test_a_dropped_file_is_one_trace_with_one_root(
    traced: LocalSystem, receiver: OtlpReceiver, samples: list[Sample]
) -> None:
    name = f"{traced.variables['MMSEARCH_USER_ID']}/drops/{samples[1].path.name}"
    traced.drop(name, samples[1].path)
    upload = wait_for(lambda: next((u for u in traced.uploads() if u["filename"] == samples[1].path.name), None))
    status = traced.until_final(upload["upload_id"])
    assert status["status"] == "completed"

    spans = _complete(receiver, status["trace_id"])
    trace = receiver.trace(status["trace_id"])
    assert {span.service for span in trace} == {service.value for service in Service}
    _assert_chain(spans, trace)
    roots = [span for span in trace if span.parent_id == ""]
    assert [root.name for root in roots] == [f"create {traced.variables['UPLOADS_BUCKET']}"]
    assert {span.parent_id for span in trace} <= {span.span_id for span in trace} | {""}


def test_a_search_is_traced_down_to_the_sql(traced: LocalSystem, receiver: OtlpReceiver) -> None:
    with traced.http() as http:
        answer = http.post("/api/v1/search", json={"query": "anything"})
    trace_id = answer.json()["trace_id"]
    wait_for(lambda: any(s.kind == SERVER for s in receiver.trace(trace_id)), 30)
    trace = receiver.trace(trace_id)
    assert {span.service for span in trace} == {"search"}
    server = next(span for span in trace if span.kind == SERVER)
    assert server.name == "POST /api/v1/search"
    assert "encode query" in {span.name for span in trace}
    statements = [span for span in trace if span.kind == CLIENT]
    assert statements
    for statement in statements:
        _assert_statement(statement, "search")
        assert "POST /api/v1/search" in _ancestors(statement, trace)


def test_a_trace_tells_where_the_time_went(traced: LocalSystem, receiver: OtlpReceiver, samples: list[Sample]) -> None:
    picture = next(sample for sample in samples if sample.path.suffix == ".png")
    response = traced.upload(picture.path, on_duplicate="allow")
    trace_id, upload_id = response.json()["trace_id"], data_of(response)["upload_id"]
    assert traced.until_final(upload_id)["status"] == "completed"
    spans = _complete(receiver, trace_id)
    trace = receiver.trace(trace_id)

    inside = {
        "store object": "POST /api/v1/upload",
        "download source": "process media-processor.object.finalized.v1",
        "decode": "process media-processor.object.finalized.v1",
        "read pictures": "process analyzer.media.processed.v1",
        "encode passages": "process embedder.media.analyzed.v1",
        "handle media.embedded.v1": "process search.media.embedded.v1",
    }
    for name, above in inside.items():
        assert above in _ancestors(next(s for s in trace if s.name == name and above in _ancestors(s, trace)), trace)
    assert spans["decode"].attributes["mmsearch.cpu_s"] > 0
    for name in CHAIN[::2]:
        worked = spans[name]
        assert worked.attributes["mmsearch.queued_ms"] >= 0
        assert worked.attributes["mmsearch.upload_id"] == upload_id


def test_every_kind_of_span_follows_the_conventions(
    traced: LocalSystem, receiver: OtlpReceiver, samples: list[Sample]
) -> None:
    response = traced.upload(samples[0].path, on_duplicate="allow")
    traced.until_final(data_of(response)["upload_id"])
    spans = _complete(receiver, response.json()["trace_id"])
    trace = receiver.trace(response.json()["trace_id"])

    server = next(span for span in trace if span.kind == SERVER)
    assert server.attributes["mmsearch.upload_id"] == data_of(response)["upload_id"]
    assert server.attributes["http.request.method"] == "POST"
    assert server.attributes["http.route"] == "/api/v1/upload"
    assert server.attributes["http.response.status_code"] == 202
    assert server.attributes["url.query"] == "-", "what stands in a query is nobody's business"

    work = spans["process analyzer.media.processed.v1"].attributes
    assert work["messaging.system"] == "gcp_pubsub"
    assert work["messaging.operation.type"] == work["messaging.operation.name"] == "process"
    assert work["messaging.destination.name"] == "media.processed.v1"
    assert work["messaging.destination.subscription.name"] == "analyzer.media.processed.v1"
    assert work["messaging.message.id"].isdecimal()
    assert work["messaging.gcp_pubsub.message.delivery_attempt"] == 1
    send = next(span for span in trace if span.name == "send media.processed.v1")
    assert send.kind == CLIENT
    assert send.attributes["messaging.operation.type"] == "send"
    consumers = [s for s in trace if s.kind == CONSUMER and "media.processed.v1" in s.name]
    assert {s.attributes["messaging.message.id"] for s in consumers} == {send.attributes["messaging.message.id"]}

    statements = [span for span in trace if "db.system.name" in span.attributes]
    assert {statement.service for statement in statements} == {"upload-gateway", "search"}
    for statement in statements:
        _assert_statement(statement, statement.service.replace("-", "_"))


def _assert_statement(span: Span, namespace: str) -> None:
    assert span.kind == CLIENT
    assert span.attributes["db.system.name"] == "postgresql"
    assert span.attributes["db.namespace"] == namespace
    assert span.name.startswith(span.attributes["db.operation.name"])
    assert "'" not in span.attributes["db.query.text"], "literals are hidden"
