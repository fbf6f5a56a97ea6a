"""One trace from the POST (or the drop) over the bucket, every event and all five services to "indexed"."""

from collections.abc import Iterator

import pytest

from contracts.artifacts import Service
from localcloud.samples import Sample
from tests.pipeline.local_system import LocalSystem, data_of, wait_for
from tests.pipeline.otlp_receiver import OtlpReceiver, Span

SERVER, PRODUCER, CONSUMER = 2, 4, 5
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

    def last_is_there() -> bool:
        names = {span.name for span in receiver.trace(trace_id)}
        return names >= set(CHAIN)

    wait_for(last_is_there, 30)
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
    wait_for(lambda: any(s.name.startswith("SELECT") for s in receiver.trace(trace_id)), 30)
    assert {span.service for span in receiver.trace(trace_id)} == {"search"}
