"""One push delivery as an HTTP request: a stored message becomes a URL, headers and a body.

Wrapped (JSON envelope, the default) or unwrapped (the data itself, metadata in headers).
"""

import base64
import json
import re
from dataclasses import dataclass
from typing import Any

from google.pubsub_v1 import types

from localcloud.pubsub.wire import RawMessage

_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_HEADER_VALUE = re.compile(r"[\t\x20-\x7e\u0080-\U0010ffff]*")
# What the connection or the token needs must not come from a message.
_RESERVED_HEADERS = frozenset({"host", "content-length", "transfer-encoding", "connection", "authorization"})


@dataclass(frozen=True, slots=True)
class PushRequest:
    """A POST; header values are UTF-8."""

    url: str
    headers: dict[str, str]
    body: bytes


def push_request(subscription: str, config: types.PushConfig, message: RawMessage, attempt: int | None) -> PushRequest:
    """The request for one message; attempt only with a dead-letter policy."""
    if "no_wrapper" in config:
        headers = _metadata(subscription, message) if config.no_wrapper.write_metadata else {}
        return PushRequest(config.push_endpoint, headers, bytes(message.data))
    body = json.dumps(_envelope(subscription, message, attempt)).encode()
    return PushRequest(config.push_endpoint, {"content-type": "application/json"}, body)


def _envelope(subscription: str, message: RawMessage, attempt: int | None) -> dict[str, Any]:
    published = message.publish_time.ToJsonString()
    wrapped: dict[str, Any] = {
        "messageId": message.message_id,
        "message_id": message.message_id,
        "publishTime": published,
        "publish_time": published,
    }
    if message.data:
        wrapped["data"] = base64.b64encode(message.data).decode()
    if message.attributes:
        wrapped["attributes"] = dict(message.attributes)
    if message.ordering_key:
        wrapped["orderingKey"] = message.ordering_key
    envelope: dict[str, Any] = {"message": wrapped, "subscription": subscription}
    if attempt is not None:
        envelope["deliveryAttempt"] = attempt
    return envelope


def _metadata(subscription: str, message: RawMessage) -> dict[str, str]:
    headers = {
        name.lower(): value
        for name, value in message.attributes.items()
        if _HEADER_NAME.fullmatch(name) and _HEADER_VALUE.fullmatch(value) and name.lower() not in _RESERVED_HEADERS
    }
    headers["x-goog-pubsub-subscription-name"] = subscription
    headers["x-goog-pubsub-message-id"] = message.message_id
    headers["x-goog-pubsub-publish-time"] = message.publish_time.ToJsonString()
    if message.ordering_key:
        headers["x-goog-pubsub-ordering-key"] = message.ordering_key
    return headers
