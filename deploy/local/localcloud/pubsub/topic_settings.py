"""The rules for topics and published messages.

Refuses what the service would refuse, with the reason, and what only the service can do.
"""

from collections.abc import Mapping, Sequence

from google.pubsub_v1 import types

from localcloud.pubsub.errors import InvalidArgumentError, UnsupportedError
from localcloud.pubsub.names import check_topic
from localcloud.pubsub.wire import RawMessage

MUTABLE = frozenset({"labels", "message_storage_policy", "kms_key_name"})

_UNSUPPORTED = (
    "schema_settings", "ingestion_data_source_settings", "message_transforms", "message_retention_duration",
)  # fmt: skip
_MOST_MESSAGES = 1000
_LARGEST_REQUEST = 10_000_000
_MOST_ATTRIBUTES = 100
_LONGEST_KEY = 256
_LONGEST_VALUE = 1024
_LONGEST_ORDERING_KEY = 1024


def check_topic_settings(topic: types.Topic) -> types.Topic:
    """The topic as it will be stored."""
    check_topic(topic.name)
    for field in _UNSUPPORTED:
        if field in topic:
            raise UnsupportedError(f"The embedded Pub/Sub does not support Topic.{field}.")
    topic.state = types.Topic.State.ACTIVE
    return topic


def check_messages(messages: Sequence[RawMessage]) -> None:
    """Raises InvalidArgumentError when a publish request breaks a limit."""
    if not 0 < len(messages) <= _MOST_MESSAGES:
        raise InvalidArgumentError(f"A publish request takes 1 to {_MOST_MESSAGES} messages.")
    if sum(_size(message) for message in messages) > _LARGEST_REQUEST:
        raise InvalidArgumentError(f"Request payload size exceeds the limit: {_LARGEST_REQUEST} bytes.")
    for message in messages:
        if not message.data and not message.attributes:
            raise InvalidArgumentError("One or more messages have neither data nor attributes.")
        if len(message.ordering_key.encode()) > _LONGEST_ORDERING_KEY:
            raise InvalidArgumentError(f"An ordering key is longer than {_LONGEST_ORDERING_KEY} bytes.")
        if message.attributes:
            _check_attributes(message.attributes)


def _size(message: RawMessage) -> int:
    attributes = sum(len(key.encode()) + len(value.encode()) for key, value in message.attributes.items())
    return len(message.data) + attributes + len(message.ordering_key)


def _check_attributes(attributes: Mapping[str, str]) -> None:
    if len(attributes) > _MOST_ATTRIBUTES:
        raise InvalidArgumentError(f"A message has more than {_MOST_ATTRIBUTES} attributes.")
    for key, value in attributes.items():
        if not 0 < len(key.encode()) <= _LONGEST_KEY:
            raise InvalidArgumentError(f"An attribute key must have 1 to {_LONGEST_KEY} bytes.")
        if len(value.encode()) > _LONGEST_VALUE:
            raise InvalidArgumentError(f"The value of attribute {key!r} exceeds {_LONGEST_VALUE} bytes.")
        # The client libraries write their own trace context under this prefix.
        if key.startswith("goog") and not key.startswith("googclient_"):
            raise InvalidArgumentError(f'The attribute key {key!r} begins with the reserved prefix "goog".')
