"""Ack ids: the opaque strings that name one lease of one message in one subscription.

Turns (subscription key, message id, lease generation) into text and back; generations only ever grow,
across restarts too, so an older id is recognised as stale.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from localcloud.pubsub.errors import InvalidArgumentError


@dataclass(frozen=True, slots=True)
class AckId:
    """One lease of a message."""

    message_id: int
    generation: int


def format_ack_id(subscription_key: int, message_id: int, generation: int) -> str:
    """The text sent to the consumer."""
    return f"{subscription_key}-{message_id}-{generation}"


def parse_ack_ids(subscription_key: int, ack_ids: Iterable[str]) -> list[AckId]:
    """All of them, or InvalidArgumentError when one is not of this subscription."""
    return [_parse(subscription_key, ack_id) for ack_id in ack_ids]


def _parse(subscription_key: int, ack_id: str) -> AckId:
    parts = ack_id.split("-")
    if len(parts) == 3 and all(part.isascii() and part.isdigit() for part in parts):
        key, message_id, generation = (int(part) for part in parts)
        if key == subscription_key:
            return AckId(message_id, generation)
    raise InvalidArgumentError("You have passed an ack ID that does not belong to the given subscription.")
