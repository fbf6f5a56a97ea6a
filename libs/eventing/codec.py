"""Turns events into Pub/Sub messages and back: CloudEvents 1.0 binary binding, and Cloud Storage notifications."""

import base64
import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, TypeVar, cast

from pydantic import BaseModel, Field, ValidationError

from contracts.artifacts import FailureCode, Service, StoredEvent, UploadRef
from contracts.envelope import SCHEMA_ROOT, Envelope, EventData, derived_event_id
from contracts.events import DeadLetterV1, ObjectDeletedV1, ObjectFinalizedV1
from contracts.events.dead_letter_v1 import OriginalMessage
from contracts.identifiers import ownership
from contracts.topology import DEAD_LETTER_SOURCE, subscription_named
from eventing.errors import Poison
from telemetry import propagation

EventT = TypeVar("EventT", bound=EventData)

DEAD_LETTER_COUNT = "CloudPubSubDeadLetterSourceDeliveryCount"
DEAD_LETTER_REASON = "mmsearch-reason"
DEAD_LETTER_CODE = "mmsearch-code"

ONLY_FOR = "mmsearch-only-for"
"""Names the one subscription a message is meant for; every other one acknowledges it unread."""
REDRIVE = "mmsearch-redrive"
"""How often a dead letter has been sent again, counting this time."""
_DEAD_LETTER_PREFIX = "CloudPubSubDeadLetterSource"
_ADDED = frozenset({DEAD_LETTER_REASON, DEAD_LETTER_CODE, ONLY_FOR, REDRIVE})

TRACEPARENT_METADATA = "traceparent"
"""Custom metadata key under which an uploading client hands its trace to the pipeline."""


class _Object(BaseModel):
    """What is read of the object that a notification is about."""

    metadata: dict[str, str] | None = None


class _FinalizedObject(_Object):
    """The same of one that was written: ``size`` in bytes."""

    size: int
    content_type: str | None = Field(default=None, alias="contentType")
    created_at: datetime = Field(alias="timeCreated")


def encode(
    event: EventData, *, event_id: str, source: Service, time: datetime, trace: Mapping[str, str]
) -> StoredEvent:
    """The message as it will be published; ``trace`` holds ``traceparent`` and maybe ``tracestate``."""
    attributes = {
        "ce-specversion": "1.0",
        "ce-id": event_id,
        "ce-source": f"//mmsearch/{source.value}",
        "ce-type": event.event_type(),
        "ce-time": time.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "ce-subject": event.subject(),
        "ce-dataschema": f"{SCHEMA_ROOT}/{event.topic()}.json",
        "content-type": "application/json",
        **{f"ce-{name}": value for name, value in event.extensions().items()},
        **trace,
    }
    return StoredEvent(topic=event.topic(), attributes=attributes, data=event.model_dump_json(exclude_none=True))


def addressed(message: StoredEvent, subscription: str) -> StoredEvent:
    """The message for that one subscription alone."""
    return message.model_copy(update={"attributes": {**message.attributes, ONLY_FOR: subscription}})


def decode(event_class: type[EventT], data: bytes, attributes: Mapping[str, str]) -> Envelope[EventT]:
    """The event inside a message. Raises ``Poison`` with the reason when it is not one of ``event_class``."""
    try:
        if event_class is DeadLetterV1:
            return cast("Envelope[EventT]", _decode_dead_letter(data, attributes))
        if event_class is ObjectFinalizedV1 or event_class is ObjectDeletedV1:
            return cast("Envelope[EventT]", _decode_notification(event_class, data, attributes))
        return _decode_cloudevent(event_class, data, attributes)
    except (ValidationError, ValueError, KeyError, TypeError) as error:
        raise Poison(f"not a {event_class.topic()} event: {_explain(error)}") from error


def _decode_cloudevent(event_class: type[EventT], data: bytes, attributes: Mapping[str, str]) -> Envelope[EventT]:
    event_type = attributes["ce-type"]
    if event_type != event_class.event_type():
        raise ValueError(f"ce-type is {event_type}")
    return Envelope[EventT](
        id=attributes["ce-id"],
        source=attributes["ce-source"],
        time=datetime.fromisoformat(attributes["ce-time"]),
        data=event_class.model_validate_json(data),
        traceparent=attributes.get("traceparent") or attributes.get("googclient_traceparent"),
        tracestate=attributes.get("tracestate"),
    )


def _decode_notification(
    event_class: type[ObjectFinalizedV1] | type[ObjectDeletedV1], data: bytes, attributes: Mapping[str, str]
) -> Envelope[Any]:
    bucket, name, generation = attributes["bucketId"], attributes["objectId"], int(attributes["objectGeneration"])
    expected = {ObjectFinalizedV1: "OBJECT_FINALIZE", ObjectDeletedV1: "OBJECT_DELETE"}[event_class]
    if attributes["eventType"] != expected:
        raise ValueError(f"eventType is {attributes['eventType']}")
    owner = ownership(bucket, name)
    upload = UploadRef(
        upload_id=owner.upload_id, user_id=owner.user_id, bucket=bucket, object_name=name, generation=generation
    )
    event: ObjectFinalizedV1 | ObjectDeletedV1
    if event_class is ObjectFinalizedV1:
        written = _FinalizedObject.model_validate_json(data)
        metadata = written.metadata or {}
        event = ObjectFinalizedV1(
            upload=upload,
            filename=owner.filename,
            size_bytes=written.size,
            declared_media_type=written.content_type,
            created_at=written.created_at,
            metadata=metadata,
        )
    else:
        metadata = _Object.model_validate_json(data).metadata or {}
        overwritten_by = int(attributes.get("overwrittenByGeneration", 0)) or None
        event = ObjectDeletedV1(upload=upload, overwritten_by_generation=overwritten_by)
    carried = metadata.get(TRACEPARENT_METADATA)
    derived = propagation.object_traceparent(bucket, name, generation)
    return Envelope[Any](
        id=derived_event_id(expected, bucket, name, str(generation)),
        source=f"//storage.googleapis.com/projects/_/buckets/{bucket}",
        time=datetime.fromisoformat(attributes["eventTime"]),
        data=event,
        traceparent=carried if propagation.trace_id_of(carried) else derived,
    )


def _decode_dead_letter(data: bytes, attributes: Mapping[str, str]) -> Envelope[DeadLetterV1]:
    """Understands as much as there is; whatever the original was, this never fails."""
    source = subscription_named(attributes.get(DEAD_LETTER_SOURCE, ""))
    original: Envelope[Any] | None = None
    if source is not None and source.has_dead_letters:
        with suppress(Poison):
            original = decode(source.event, data, attributes)
    code = attributes.get(DEAD_LETTER_CODE, "")
    added = {name for name in attributes if name in _ADDED or name.startswith(_DEAD_LETTER_PREFIX)}
    own = {name: value for name, value in attributes.items() if name not in added}
    subscription = attributes.get(DEAD_LETTER_SOURCE, "unknown")
    letter = DeadLetterV1(
        source_subscription=subscription,
        stage=source.service if source else None,
        code=FailureCode(code) if code in set(FailureCode) else FailureCode.INTERNAL,
        reason=attributes.get(DEAD_LETTER_REASON, "It failed again and again without saying why."),
        attempts=_positive(attributes.get(DEAD_LETTER_COUNT)),
        upload=getattr(original.data, "upload", None) if original else None,
        letter_id=derived_event_id("dead-letter", subscription, original.id if original else _digest(data, own)),
        source_topic=source.event.topic() if source else None,
        redrives=int(redrive) if (redrive := attributes.get(REDRIVE, "")).isdecimal() else 0,
        original=OriginalMessage(attributes=own, data_base64=base64.b64encode(data).decode()),
    )
    return Envelope[DeadLetterV1](
        id=derived_event_id(str(letter.letter_id), str(letter.redrives)),
        source="//mmsearch/dead-letter",
        time=datetime.now(UTC),
        data=letter,
        traceparent=original.traceparent if original else None,
    )


def _digest(data: bytes, attributes: Mapping[str, str]) -> str:
    return hashlib.sha256(data + json.dumps(attributes, sort_keys=True).encode()).hexdigest()


def _positive(text: str | None) -> int:
    return max(int(text), 1) if text and text.isdecimal() else 1


def _explain(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False, include_input=False)[0]
        return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"[:300]
    if isinstance(error, KeyError):
        return f"{error.args[0]} is missing"
    return str(error)[:300]
