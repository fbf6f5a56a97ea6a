"""The supervisor's view of its processes into ``state.json``, and back into a report with their memory."""

import contextlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import psutil

from localcloud.data_dir import DataDir
from localcloud.supervisor import Status


@dataclass(frozen=True)
class ProcessReport:
    """One process as ``mmsearch status`` shows it. ``memory_mb`` counts its children too, each shared page once."""

    name: str
    kind: str
    stage: str
    pid: int | None
    port: int | None
    restarts: int
    ready_after_s: float | None
    memory_mb: float | None


@dataclass(frozen=True)
class SystemReport:
    """A running system: ``ready`` once everything has been started, ``url`` its public address."""

    data_dir: str
    pid: int
    url: str
    ready: bool
    processes: tuple[ProcessReport, ...]


def write_state(data: DataDir, url: str, *, ready: bool, statuses: Sequence[Status]) -> None:
    """Replaces the state file at once."""
    processes = [{**asdict(s), "kind": s.kind.value, "stage": s.stage.value} for s in statuses]
    fresh = data.state.with_suffix(".new")
    fresh.write_text(json.dumps({"url": url, "ready": ready, "processes": processes}, indent=2) + "\n")
    fresh.replace(data.state)


def read_report(data: DataDir) -> SystemReport | None:
    """What runs in the data directory now, or None."""
    pid = data.running_pid()
    if pid is None:
        return None
    try:
        state: dict[str, Any] = json.loads(data.state.read_text())
    except (FileNotFoundError, ValueError):
        # The supervisor holds the directory but has not started anything yet.
        state = {"url": "", "ready": False, "processes": []}
    processes = tuple(ProcessReport(memory_mb=_memory_mb(p["pid"]), **p) for p in state["processes"])
    return SystemReport(str(data.path), pid, state["url"], state["ready"], processes)


def _memory_mb(pid: int | None) -> float | None:
    if pid is None:
        return None
    total = 0
    # A process may end while it is being looked at.
    with contextlib.suppress(psutil.Error):
        process = psutil.Process(pid)
        for member in (process, *process.children(recursive=True)):
            with contextlib.suppress(psutil.Error):
                total += _bytes(member)
    return round(total / 1024 / 1024, 1)


def _bytes(process: psutil.Process) -> int:
    memory = process.memory_full_info()
    # The proportional share, where the system knows it: PostgreSQL's processes share most of theirs.
    return int(getattr(memory, "pss", memory.rss))
