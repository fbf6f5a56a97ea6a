"""The hot path's protobuf messages: bodies as stored, received messages as sent.

Works on the plain protobuf classes under google.pubsub_v1's wrappers, which are several times faster.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from google.pubsub_v1 import types

from localcloud.pubsub.ack_ids import format_ack_id
from localcloud.pubsub.deliveries import Lease

LARGEST_RESPONSE = 3_600_000
"""Bytes of messages in one answer: in emulator mode clients accept no more than 4 MiB."""

RawMessage = Any
"""A plain protobuf message, whose class is made at run time."""

_PubsubMessage: Any = types.PubsubMessage.pb()
_ReceivedMessage: Any = types.ReceivedMessage.pb()


def stored_body(message: RawMessage, message_id: int) -> bytes:
    """A published message as it is stored and later sent, with its id and publish time."""
    message.message_id = str(message_id)
    message.publish_time.FromMicroseconds(message_id)
    return message.SerializeToString()


def parse_body(body: bytes) -> RawMessage:
    """The inverse of ``stored_body``."""
    return _PubsubMessage.FromString(body)


def received_messages(
    subscription_key: int, leases: Sequence[Lease], bodies: Mapping[int, bytes], with_attempts: bool
) -> list[RawMessage]:
    """What Pull and StreamingPull send; a lease whose message is gone is left out."""
    return [
        _ReceivedMessage(
            ack_id=format_ack_id(subscription_key, lease.message_id, lease.generation),
            message=_PubsubMessage.FromString(bodies[lease.message_id]),
            delivery_attempt=lease.attempt if with_attempts else 0,
        )
        for lease in leases
        if lease.message_id in bodies
    ]
