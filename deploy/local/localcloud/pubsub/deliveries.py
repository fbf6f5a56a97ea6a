"""What a subscription knows about one message: its state, a lease of it, a failure, the effect of a seek.

Plain records; ``subscription_queue`` moves them from state to state.
"""

import math
from dataclasses import dataclass
from enum import Enum, auto

from localcloud.pubsub.flow import FlowBudget


class State(Enum):
    """Where a message stands in this subscription."""

    READY = auto()
    LEASED = auto()
    BACKING_OFF = auto()
    DEAD = auto()
    ACKED = auto()


@dataclass(slots=True)
class Entry:
    """One message in one subscription; its id is its publish time in microseconds."""

    message_id: int
    size: int
    ordering_key: str = ""
    failures: int = 0
    state: State = State.READY
    generation: int = 0
    due: float = math.inf
    timer: float = math.inf
    queued: bool = False
    budget: FlowBudget | None = None


@dataclass(frozen=True, slots=True)
class Lease:
    """A message handed to a consumer until its deadline."""

    message_id: int
    generation: int
    attempt: int
    size: int


@dataclass(frozen=True, slots=True)
class Failure:
    """A refused or expired lease; exhausted means the message goes to the dead-letter topic now."""

    message_id: int
    failures: int
    exhausted: bool


@dataclass(frozen=True, slots=True)
class SeekResult:
    """Ids a seek marked as acknowledged and ids it brought back."""

    acked: list[int]
    revived: list[int]
