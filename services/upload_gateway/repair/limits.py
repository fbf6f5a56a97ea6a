"""How eager repairs are: the sweeper's patience, the pace of what people start, what is too young to judge."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

PAUSE_S = 10
"""How long to wait when the minute's allowance is used up."""


@dataclass(frozen=True)
class RepairLimits:
    """``settle`` is how old an object must be before its absence elsewhere means anything."""

    artifacts_bucket: str = ""
    sweep_after: timedelta = timedelta(minutes=15)
    sweep_every_s: float = 60
    sweep_attempts: int = 8
    redrives_per_minute: int = 600
    reprocesses_per_minute: int = 120
    reembeds_per_minute: int = 6000
    settle: timedelta = timedelta(minutes=10)


@dataclass(frozen=True, kw_only=True)
class Batch:
    """What one call of a repair of many did: to which, and to which not and why.

    ``count`` is how many there were to do, or for dead letters how many still wait; None where nobody counted.
    ``next`` is where the following call begins, None at the end; ``wait_s`` says when.
    """

    done: Sequence[str] = ()
    skipped: Mapping[str, str] = field(default_factory=dict[str, str])
    count: int | None = None
    next: str | None = None
    wait_s: int = 0
