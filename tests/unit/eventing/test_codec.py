"""Events survive the Pub/Sub binding; Cloud Storage's own format is read; anything else is poison with a reason."""

import json
from datetime import UTC, datetime

import pytest

from contracts.artifacts import FailureCode, Service
from contracts.events import DeadLetterV1, MediaFailedV1, MediaProcessedV1, ObjectDeletedV1, ObjectFinalizedV1
from contracts.golden import EXAMPLES
from contracts.topology import DEAD_LETTER_SOURCE
from eventing import codec
from eventing.errors import Poison
from telemetry import propagation

NOW = datetime(2026, 11, 21, tzinfo=UTC)
PROCESSED = next(e for e in EXAMPLES if isinstance(e, MediaProcessedV1))
TRACE = {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}


def _notification(event_type: str, **attributes: str) -> tuple[bytes, dict[str, str]]:
    resource = {"size": "12", "timeCreated": "2026-11-21T09:30:00.000Z", "contentType": "text/plain"}
    return json.dumps(resource).encode(), {
        "eventType": event_type,
        "payloadFormat": "JSON_API_V1",
        "bucketId": "uploads",
        "objectId": "amy/notes/today.txt",
        "objectGeneration": "1795253400000001",
        "eventTime": "2026-11-21T09:30:00.100000Z",
        **attributes,
    }


def test_an_event_comes_back_as_it_was() -> None:
    stored = codec.encode(PROCESSED, event_id="e1", source=Service.MEDIA_PROCESSOR, time=NOW, trace=TRACE)
    envelope = codec.decode(MediaProcessedV1, stored.data.encode(), stored.attributes)
    assert envelope.data == PROCESSED
    assert (envelope.id, envelope.time, envelope.traceparent) == ("e1", NOW, TRACE["traceparent"])


def test_the_librarys_own_trace_attribute_is_a_fallback() -> None:
    stored = codec.encode(PROCESSED, event_id="e1", source=Service.MEDIA_PROCESSOR, time=NOW, trace={})
    attributes = {**stored.attributes, "googclient_traceparent": TRACE["traceparent"]}
    assert codec.decode(MediaProcessedV1, stored.data.encode(), attributes).traceparent == TRACE["traceparent"]


@pytest.mark.parametrize(
    ("data", "changes", "reason"),
    [
        (b"not json", {}, "Invalid JSON"),
        (b"{}", {}, "upload: Field required"),
        (None, {"ce-type": "mmsearch.media.processed.v2"}, "ce-type is mmsearch.media.processed.v2"),
        (None, {"ce-time": "yesterday"}, "yesterday"),
        (b"\xff\xfe", {}, "media.processed.v1"),
    ],
)
def test_what_cannot_be_understood_is_poison_with_a_reason(
    data: bytes | None, changes: dict[str, str], reason: str
) -> None:
    stored = codec.encode(PROCESSED, event_id="e1", source=Service.MEDIA_PROCESSOR, time=NOW, trace={})
    with pytest.raises(Poison, match=reason):
        codec.decode(MediaProcessedV1, stored.data.encode() if data is None else data, {**stored.attributes, **changes})


def test_a_message_without_attributes_is_poison() -> None:
    with pytest.raises(Poison, match="ce-type is missing"):
        codec.decode(MediaProcessedV1, b"{}", {})


def test_a_finalize_notification_becomes_an_event() -> None:
    data, attributes = _notification("OBJECT_FINALIZE")
    envelope = codec.decode(ObjectFinalizedV1, data, attributes)
    assert envelope.data.upload.user_id == "amy"
    assert envelope.data.upload.generation == 1795253400000001
    assert (envelope.data.filename, envelope.data.size_bytes) == ("today.txt", 12)


def test_the_same_notification_has_the_same_id_and_trace_everywhere() -> None:
    data, attributes = _notification("OBJECT_FINALIZE")
    first = codec.decode(ObjectFinalizedV1, data, attributes)
    second = codec.decode(ObjectFinalizedV1, data, {**attributes, "eventTime": "2026-11-21T09:31:00Z"})
    assert (first.id, first.traceparent) == (second.id, second.traceparent)
    assert first.traceparent == propagation.object_traceparent("uploads", "amy/notes/today.txt", 1795253400000001)


def test_the_uploaders_trace_is_taken_from_custom_metadata() -> None:
    data, attributes = _notification("OBJECT_FINALIZE")
    resource = json.loads(data) | {"metadata": TRACE}
    envelope = codec.decode(ObjectFinalizedV1, json.dumps(resource).encode(), attributes)
    assert envelope.traceparent == TRACE["traceparent"]


def test_a_malformed_trace_in_custom_metadata_is_not_believed() -> None:
    data, attributes = _notification("OBJECT_FINALIZE")
    resource = json.loads(data) | {"metadata": {"traceparent": "00-zzz"}}
    envelope = codec.decode(ObjectFinalizedV1, json.dumps(resource).encode(), attributes)
    assert propagation.trace_id_of(envelope.traceparent) is not None


def test_a_delete_notification_says_what_overwrote_the_object() -> None:
    data, attributes = _notification("OBJECT_DELETE", overwrittenByGeneration="1795253400000009")
    assert codec.decode(ObjectDeletedV1, data, attributes).data.overwritten_by_generation == 1795253400000009
    with pytest.raises(Poison, match="eventType is OBJECT_DELETE"):
        codec.decode(ObjectFinalizedV1, data, attributes)


def test_a_dead_letter_names_subscription_reason_and_upload() -> None:
    stored = codec.encode(PROCESSED, event_id="e1", source=Service.MEDIA_PROCESSOR, time=NOW, trace=TRACE)
    attributes = {
        **stored.attributes,
        DEAD_LETTER_SOURCE: "analyzer.media.processed.v1",
        codec.DEAD_LETTER_COUNT: "5",
        codec.DEAD_LETTER_CODE: "timeout",
        codec.DEAD_LETTER_REASON: "took too long",
    }
    letter = codec.decode(DeadLetterV1, stored.data.encode(), attributes).data
    assert (letter.stage, letter.code, letter.attempts) == (Service.ANALYZER, FailureCode.TIMEOUT, 5)
    assert letter.upload == PROCESSED.upload


DEEP = b"[" * 200_000


@pytest.mark.parametrize("data", [b"null", b"[]", b"7", b'{"metadata": ["x"]}', DEEP])
@pytest.mark.parametrize("event_class", [ObjectFinalizedV1, ObjectDeletedV1])
def test_a_notification_that_tells_of_no_object_is_poison(
    data: bytes, event_class: type[ObjectFinalizedV1] | type[ObjectDeletedV1]
) -> None:
    _, attributes = _notification("OBJECT_FINALIZE" if event_class is ObjectFinalizedV1 else "OBJECT_DELETE")
    with pytest.raises(Poison, match="not a object"):
        codec.decode(event_class, data, attributes)
    letter = codec.decode(DeadLetterV1, data, {**attributes, DEAD_LETTER_SOURCE: "media-processor.object.finalized.v1"})
    assert (letter.data.stage, letter.data.upload) == (Service.MEDIA_PROCESSOR, None)


@pytest.mark.parametrize("attributes", [{}, {DEAD_LETTER_SOURCE: "nobody"}, {codec.DEAD_LETTER_COUNT: "many"}])
def test_a_dead_letter_is_always_readable(attributes: dict[str, str]) -> None:
    letter = codec.decode(DeadLetterV1, b"\x00\xff garbage", attributes).data
    assert letter.upload is None
    assert letter.code is FailureCode.INTERNAL


def test_a_failure_event_carries_no_more_than_it_must() -> None:
    failed = next(e for e in EXAMPLES if isinstance(e, MediaFailedV1))
    stored = codec.encode(failed, event_id="e1", source=Service.MEDIA_PROCESSOR, time=NOW, trace={})
    assert len(stored.data) < 1000
