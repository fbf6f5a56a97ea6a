"""Reads are rationed, everything else is recorded, and what is not recorded has its trace id all the same."""

from collections.abc import Mapping

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON, Decision, ParentBased
from opentelemetry.trace import SpanKind

from telemetry.propagation import context_of
from telemetry.sampling import ReadsRationed, own_sampler

GET = {"http.request.method": "GET", "url.path": "/api/v1/uploads"}
BY_PICTURE = {"http.request.method": "POST", "url.path": "/api/v1/search/image"}
SEARCH = {"http.request.method": "POST", "url.path": "/api/v1/search"}
UPLOAD = {"http.request.method": "POST", "url.path": "/api/v1/upload"}


@pytest.fixture
def clock() -> list[float]:
    return [100.0]


@pytest.fixture
def sampler(clock: list[float]) -> ReadsRationed:
    return ReadsRationed(ALWAYS_ON, 5, lambda: clock[0])


def recorded(sampler: ReadsRationed, attributes: Mapping[str, str], kind: SpanKind = SpanKind.SERVER) -> bool:
    return sampler.should_sample(None, 1, "x", kind, attributes).decision is Decision.RECORD_AND_SAMPLE


@pytest.mark.parametrize("attributes", [GET, SEARCH, BY_PICTURE])
def test_reads_are_rationed(sampler: ReadsRationed, clock: list[float], attributes: dict[str, str]) -> None:
    assert sum(recorded(sampler, attributes) for _ in range(100)) == 10, "two seconds' worth at once"
    clock[0] += 1
    assert sum(recorded(sampler, attributes) for _ in range(100)) == 5
    clock[0] += 3600
    assert sum(recorded(sampler, attributes) for _ in range(100)) == 10


def test_uploads_and_events_are_always_recorded(sampler: ReadsRationed) -> None:
    for _ in range(50):
        recorded(sampler, GET)
    assert all(recorded(sampler, UPLOAD) for _ in range(100))
    assert all(recorded(sampler, {}, SpanKind.CONSUMER) for _ in range(100))
    assert all(recorded(sampler, {}, SpanKind.PRODUCER) for _ in range(100))


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/api/v1/search/models/drop"),
        ("POST", "/api/v1/search/models/switch"),
        ("DELETE", "/api/v1/search/history"),
        ("DELETE", "/api/v1/search"),
        ("POST", "/api/v1/feedback"),
    ],
)
def test_changes_below_the_path_of_searches_are_always_recorded(sampler: ReadsRationed, method: str, path: str) -> None:
    attributes = {"http.request.method": method, "url.path": path}
    assert all(recorded(sampler, attributes) for _ in range(100))


def test_what_is_let_through_is_the_inner_samplers_to_decide(clock: list[float]) -> None:
    sampler = ReadsRationed(ALWAYS_OFF, 5, lambda: clock[0])
    assert not recorded(sampler, UPLOAD)


@pytest.mark.parametrize("flags", ["00", "01"])
def test_a_caller_decides_nothing(flags: str) -> None:
    tracer = TracerProvider(sampler=own_sampler(0)).get_tracer("test")
    caller = context_of(f"00-{'a' * 32}-{'b' * 16}-{flags}", None)

    def span(attributes: Mapping[str, str], kind: SpanKind) -> bool:
        return tracer.start_span("x", caller, kind, attributes).is_recording()

    assert span(UPLOAD, SpanKind.SERVER)
    assert span({}, SpanKind.CONSUMER)
    assert [span(GET, SpanKind.SERVER) for _ in range(3)] == [True, False, False], "a ration of 0 begins with one"


def test_an_unrecorded_trace_has_an_id() -> None:
    provider = TracerProvider(sampler=ParentBased(ReadsRationed(ALWAYS_ON, 0)))
    tracer = provider.get_tracer("test")
    tracer.start_span("first", kind=SpanKind.SERVER, attributes=GET).end()
    span = tracer.start_span("second", kind=SpanKind.SERVER, attributes=GET)
    assert not span.is_recording()
    assert span.get_span_context().is_valid
