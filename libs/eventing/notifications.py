"""Turns what is known of an object into the message Cloud Storage would have sent, for one that never came.

Decoded again it is the same event with the same id, so a notification that was only late is recognised as a duplicate.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime

from contracts.artifacts import StoredEvent
from contracts.events import ObjectDeletedV1, ObjectFinalizedV1


def finalized_message(event: ObjectFinalizedV1) -> StoredEvent:
    """``OBJECT_FINALIZE`` with the resource, as far as it is read."""
    resource = {
        "size": str(event.size_bytes),
        "contentType": event.declared_media_type,
        "timeCreated": _rfc3339(event.created_at),
        "metadata": event.metadata,
    }
    return _message(event, "OBJECT_FINALIZE", event.created_at, resource)


def deleted_message(event: ObjectDeletedV1, time: datetime) -> StoredEvent:
    """``OBJECT_DELETE``; ``time`` is when the removal was noticed."""
    return _message(event, "OBJECT_DELETE", time, {})


def _message(
    event: ObjectFinalizedV1 | ObjectDeletedV1, event_type: str, time: datetime, resource: Mapping[str, object]
) -> StoredEvent:
    upload = event.upload
    attributes = {
        "eventType": event_type,
        "payloadFormat": "JSON_API_V1",
        "bucketId": upload.bucket,
        "objectId": upload.object_name,
        "objectGeneration": str(upload.generation),
        "eventTime": _rfc3339(time),
    }
    if isinstance(event, ObjectDeletedV1) and event.overwritten_by_generation:
        attributes["overwrittenByGeneration"] = str(event.overwritten_by_generation)
    return StoredEvent(topic=event.topic(), attributes=attributes, data=json.dumps(resource))


def _rfc3339(time: datetime) -> str:
    return time.astimezone(UTC).isoformat().replace("+00:00", "Z")
