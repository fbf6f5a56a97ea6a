"""One message as a door hands it to the runtime, and the answer the runtime gives back."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Delivery:
    """A delivered message. ``attempt`` counts from 1; it is None where the subscription has no dead-letter policy.

    ``patience_s`` is how long the door can hold the message while a dependency is down; None is the handler's deadline.
    """

    message_id: str
    data: bytes
    attributes: Mapping[str, str]
    publish_time: datetime
    attempt: int | None = 1
    patience_s: float | None = None


@dataclass(frozen=True)
class Ack:
    """Done with: never deliver it again."""


@dataclass(frozen=True)
class Nack:
    """Not done: deliver it again, not before ``delay_s`` seconds if the door can ask for that."""

    delay_s: float = 0


Settlement = Ack | Nack
