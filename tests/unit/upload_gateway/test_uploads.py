"""The state machine commutes: any order of events, any number of times, ends in the same row."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.artifacts import ArtifactRef, FailureCode, Kind, MediaProperties, Service, UploadRef, Usage
from contracts.events import (
    MediaAnalyzedV1,
    MediaEmbeddedV1,
    MediaFailedV1,
    MediaIndexedV1,
    MediaProcessedV1,
    ObjectDeletedV1,
    ObjectFinalizedV1,
)
from upload_gateway import uploads
from upload_gateway.uploads import Heard, Requested, UploadState, apply
from upload_gateway.view import Status, view

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
ARTIFACT = ArtifactRef(bucket="artifacts", key="k", sha256="0" * 64, media_type="application/json", size_bytes=2)
REQUESTED = Requested(
    filename="a.jpg", kind=Kind.IMAGE, media_type="image/jpeg", size_bytes=10, sha256="a" * 64, created_at=NOW
)
STAGES = ("finalized", "processed", "analyzed", "embedded", "indexed")


def ref(generation: int = 1, run: int = 0) -> UploadRef:
    return UploadRef(
        upload_id="upl_" + "a" * 26,
        user_id="someone",
        bucket="uploads",
        object_name="someone/a.jpg",
        generation=generation,
        run=run,
    )


def event(what: str, generation: int = 1, run: int = 0, **more: Any) -> Any:
    upload = ref(generation, run)
    match what:
        case "finalized":
            return ObjectFinalizedV1(upload=upload, filename="a.jpg", size_bytes=10, created_at=NOW)
        case "deleted":
            return ObjectDeletedV1(upload=upload, **more)
        case "processed":
            return MediaProcessedV1(
                upload=upload, filename="a.jpg", kind=Kind.IMAGE, media_type="image/jpeg", size_bytes=10,
                sha256=f"{generation:064x}", created_at=NOW, properties=MediaProperties(width=generation),
                material=ARTIFACT, thumbnail=ARTIFACT,
            )  # fmt: skip
        case "analyzed":
            return MediaAnalyzedV1(
                upload=upload, filename="a.jpg", kind=Kind.IMAGE, title=f"title {generation}.{run}", summary="s",
                analysis=ARTIFACT, segment_count=1, model_id="m", prompt_version="1", usage=Usage(input_tokens=5),
            )  # fmt: skip
        case "embedded":
            return MediaEmbeddedV1(
                upload=upload, filename="a.jpg", kind=Kind.IMAGE, model_id="m", dimensions=3, passage_count=1,
                passages=ARTIFACT, vectors=ARTIFACT,
            )  # fmt: skip
        case "indexed":
            return MediaIndexedV1(upload=upload, model_id="m", passage_count=1)
        case _:
            code = more.get("code", FailureCode.CORRUPT)
            return MediaFailedV1(upload=upload, stage=Service(what), code=code, message="no")


def heard(number: int, data: Any) -> Heard[Any]:
    return Heard[Any](event_id=f"e{number}", time=NOW + timedelta(seconds=number), trace_id=f"{number:032x}", data=data)


def after(*events: Any) -> UploadState:
    state = uploads.beginning(ref())
    for number, data in enumerate(events):
        state = apply(state, heard(number, data))
    return state


def seen(*events: Any) -> Any:
    return view(after(*events), NOW)


def one_version(generation: int = 1, run: int = 0) -> list[Any]:
    return [event(what, generation, run) for what in STAGES]


_facts = st.lists(
    st.tuples(
        st.builds(
            event,
            st.sampled_from([*STAGES, "deleted", *[stage.value for stage in uploads.STAGES]]),
            st.integers(1, 3),
            st.integers(0, 2),
        ),
        st.booleans(),
    ),
    min_size=1,
    max_size=8,
)


@settings(max_examples=300, deadline=None)
@given(_facts, st.booleans(), st.data())
def test_any_order_and_any_duplicates_give_the_same_state(
    facts: list[tuple[Any, bool]], asked_for: bool, data: st.DataObject
) -> None:
    numbered = [(heard(number, fact), known) for number, (fact, known) in enumerate(facts)]
    again = data.draw(st.lists(st.sampled_from(numbered), max_size=4))
    shuffled = data.draw(st.permutations(numbered + again))

    def run(sequence: list[tuple[Heard[Any], bool]]) -> UploadState:
        state = uploads.beginning(ref()).model_copy(update={"requested": REQUESTED if asked_for else None})
        for fact, known in sequence:
            state = apply(state, fact, owner_known=known)
        return state

    expected = run(numbered)
    assert run(shuffled) == expected
    assert view(run(shuffled), NOW) == view(expected, NOW)


@settings(max_examples=100, deadline=None)
@given(st.permutations(one_version()))
def test_progress_never_goes_back(events: list[Any]) -> None:
    state, progress = uploads.beginning(ref()), 0
    for number, data in enumerate(events):
        state = apply(state, heard(number, data))
        assert view(state, NOW).progress >= progress
        progress = view(state, NOW).progress
    assert (view(state, NOW).status, progress) == (Status.COMPLETED, 100)


def test_walks_from_pending_to_completed() -> None:
    walk = [view(after(*one_version()[:count]), NOW) for count in range(6)]
    assert [(step.status.value, step.stage, step.progress) for step in walk] == [
        ("pending", "queued", 0),
        ("processing", "media-processor", 10),
        ("processing", "analyzer", 40),
        ("processing", "embedder", 65),
        ("processing", "search", 90),
        ("completed", "done", 100),
    ]
    done = walk[-1]
    assert (done.kind, done.title, done.processing_s) == (Kind.IMAGE, "title 1.0", 4.0)
    assert done.timings == {"media-processor": 1.0, "analyzer": 1.0, "embedder": 1.0, "search": 1.0}


def test_a_newer_generation_forgets_what_the_older_one_showed() -> None:
    shown = seen(*one_version(1), event("finalized", 2))
    assert (shown.status, shown.title, shown.thumbnail, shown.sha256) == (Status.PROCESSING, None, None, None)
    assert seen(event("finalized", 2), *one_version(1)) == shown.model_copy(
        update={"created_at": NOW, "trace_id": f"{0:032x}"}
    )


def test_a_failure_stands_until_its_stage_or_a_later_one_succeeds() -> None:
    failed = event("analyzer", code=FailureCode.TIMEOUT)
    assert seen(event("finalized"), event("processed"), failed).error.code is FailureCode.TIMEOUT
    assert seen(failed, event("processed")).status is Status.FAILED
    assert seen(failed, event("analyzed")).status is Status.PROCESSING
    assert seen(event("indexed"), failed).status is Status.COMPLETED


def test_the_furthest_failure_is_shown_and_a_known_cause_before_an_unknown_one() -> None:
    early, late = event("media-processor"), event("embedder", code=FailureCode.NETWORK)
    assert seen(late, early).error.code is FailureCode.NETWORK
    known, unknown = event("analyzer"), event("analyzer", code=FailureCode.INTERNAL)
    assert seen(known, unknown).error.code is FailureCode.CORRUPT


def test_a_failure_of_an_earlier_run_says_nothing_about_the_next() -> None:
    state = after(event("finalized"), event("processed"), event("analyzer"))
    state = uploads.begin_run(state, Service.ANALYZER, "f" * 32)
    shown = view(state, NOW)
    assert (shown.status, shown.stage, shown.progress, shown.attempts) == (Status.PROCESSING, "analyzer", 40, 2)
    assert (shown.thumbnail, shown.trace_id) == (ARTIFACT, "f" * 32)
    state = apply(state, heard(9, event("analyzed", run=1)))
    assert (view(state, NOW).status, view(state, NOW).stage) == (Status.PROCESSING, "embedder")


def test_deleted_stays_deleted_until_a_newer_generation() -> None:
    state = uploads.delete(after(event("finalized")), NOW, purge=False)
    for number, data in enumerate(one_version()):
        state = apply(state, heard(number, data))
    assert view(state, NOW).status is Status.DELETED
    assert view(uploads.restore(state), NOW).status is Status.COMPLETED
    reborn = view(apply(state, heard(9, event("finalized", 2))), NOW)
    assert (reborn.status, reborn.hidden_at) == (Status.PROCESSING, None)


@pytest.mark.parametrize("late", [True, False])
def test_an_object_that_is_gone_is_deleted_and_an_overwritten_one_is_not(late: bool) -> None:
    gone = [*one_version(), event("deleted")]
    assert seen(*(gone if late else reversed(gone))).status is Status.DELETED
    overwritten = [event("finalized", 2), event("deleted", 1, overwritten_by_generation=2)]
    assert seen(*(overwritten if late else reversed(overwritten))).status is Status.PROCESSING
    assert seen(event("deleted", 1, overwritten_by_generation=2)).status is Status.PENDING


def test_an_upload_of_nobody_is_failed_whatever_the_stages_made_of_it() -> None:
    state = uploads.beginning(ref())
    for number, data in enumerate(one_version()):
        state = apply(state, heard(number, data), owner_known=False)
    shown = view(state, NOW)
    assert (shown.status, shown.error and shown.error.code) == (Status.FAILED, FailureCode.UNKNOWN_OWNER)
    assert shown.ownerless


def test_content_is_claimed_by_what_the_gateway_stored_until_it_is_deleted_or_overwritten() -> None:
    state = uploads.beginning(ref()).model_copy(update={"requested": REQUESTED})
    assert view(state, NOW).claimed_sha256 == "a" * 64
    stored = uploads.mark_stored(state, 1)
    assert view(stored, NOW).claimed_sha256 == "a" * 64
    assert view(uploads.delete(stored, NOW, purge=False), NOW).claimed_sha256 is None
    assert view(apply(stored, heard(1, event("finalized", 2))), NOW).claimed_sha256 is None
    assert view(uploads.give_up_claim(stored), NOW).claimed_sha256 is None


def test_content_that_is_not_what_its_sender_said_is_not_claimed() -> None:
    state = uploads.beginning(ref()).model_copy(update={"requested": REQUESTED})
    processed = event("processed", 1)
    assert view(apply(state, heard(1, processed)), NOW).claimed_sha256 is None
    as_said = processed.model_copy(update={"sha256": "a" * 64})
    assert view(apply(state, heard(1, as_said)), NOW).claimed_sha256 == "a" * 64


def test_an_upload_is_expected_until_its_object_is_there() -> None:
    waiting = REQUESTED.model_copy(update={"expected_until": NOW + timedelta(days=7)})
    state = uploads.beginning(ref()).model_copy(update={"requested": waiting})
    assert view(state, NOW).expected_until == NOW + timedelta(days=7)
    assert view(apply(state, heard(1, event("finalized"))), NOW).expected_until is None
