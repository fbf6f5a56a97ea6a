"""How eager repairs are: the sweeper's patience, the pace of what operators start, what is too young to judge."""

from dataclasses import dataclass
from datetime import timedelta


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
