"""What the supervisor needs to know of one process: how to start it, what it waits for, and when it is ready."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from localcloud.job_marks import Mark


class Kind(Enum):
    """A service runs until it is stopped; a job ends by itself and is done when it exits with 0."""

    SERVICE = "service"
    JOB = "job"


@dataclass(frozen=True)
class ReadyLine:
    """Ready when it prints a JSON line with ``"ready": true``."""


@dataclass(frozen=True)
class TcpReady:
    """Ready when ``port`` of the loopback address accepts connections."""

    port: int


@dataclass(frozen=True)
class HttpReady:
    """Ready when ``GET path`` on ``port`` of the loopback address answers 200."""

    port: int
    path: str = "/health/ready"


Readiness = ReadyLine | TcpReady | HttpReady


@dataclass(frozen=True)
class Process:
    """One process of a system.

    ``env`` is its whole environment. ``needs`` names processes that must be ready (jobs: done) before it starts; it
    is stopped before they are. A job whose ``mark`` is set is done without being run. ``ready_timeout_s`` bounds one
    start, of a job its whole run: it is there for what hangs, and a machine that is busy with other things may need
    minutes. ``stop_timeout_s`` lies between SIGTERM and SIGKILL.
    """

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str]
    ready: Readiness = field(default_factory=ReadyLine)
    needs: tuple[str, ...] = ()
    kind: Kind = Kind.SERVICE
    port: int | None = None
    mark: Mark | None = None
    ready_timeout_s: float = 180
    stop_timeout_s: float = 10
