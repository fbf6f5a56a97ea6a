"""From outside a running system: start it in the background, stop it, say how it is."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict

from localcloud.asking import asked
from localcloud.data_dir import DataDir
from localcloud.process import Kind
from localcloud.state import ProcessReport, SystemReport, read_report
from localcloud.supervisor import Stage

_STOP_S = 120
_POLL_S = 0.05


def up_detached(data: DataDir, argv: Sequence[str]) -> int:
    """Starts ``python -m localcloud up argv`` in the background; returns when the system is ready, or its exit code."""
    data.of("logs")
    log = data.logs / "up.log"
    with log.open("wb") as output:
        started = subprocess.Popen(
            [sys.executable, "-P", "-m", "localcloud", "up", *argv, "--quiet"],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    while started.poll() is None:
        report = read_report(data)
        if data.env.exists() and report is not None and report.pid == started.pid and report.ready:
            sys.stdout.write(log.read_text())
            return 0
        time.sleep(_POLL_S)
    sys.stderr.write(log.read_text())
    return started.returncode


def down(data: DataDir) -> int:
    """Stops the system in the data directory and waits until it has; fine when nothing runs."""
    pid = data.running_pid()
    if pid is None:
        sys.stdout.write(f"Nothing is running in {data.path}.\n")
        return 0
    try:
        os.kill(pid, signal.SIGTERM)
    except ProcessLookupError:
        pass
    except PermissionError:
        sys.stderr.write(f"The system in {data.path} (pid {pid}) belongs to another user.\n")
        return 1
    deadline = time.monotonic() + _STOP_S
    while data.running_pid() == pid:
        if time.monotonic() > deadline:
            sys.stderr.write(f"The system (pid {pid}) has not stopped after {_STOP_S} s.\n")
            return 1
        time.sleep(_POLL_S)
    sys.stdout.write("Stopped.\n")
    return 0


def status(data: DataDir, *, as_json: bool) -> int:
    """Prints how the system is: 0 when everything is ready, 1 when something is not, 3 when nothing runs.

    Ready is what has been started and says so now: a process that hangs is asked in vain.
    """
    report = read_report(data)
    if report is None:
        sys.stdout.write("null\n" if as_json else f"Nothing is running in {data.path}.\n")
        return 3
    running = [p for p in report.processes if p.kind == Kind.SERVICE.value and p.stage == Stage.READY.value]
    words = asked(running)
    notices = [f"{word.name}: {line}" for word in words for line in (*word.notices, *word.troubles)]
    started = report.ready and all(p.stage in {"ready", "done"} for p in report.processes)
    healthy = started and not any(word.troubles for word in words)
    if as_json:
        text = json.dumps({**asdict(report), "healthy": healthy, "notices": notices}, indent=2)
    else:
        text = "\n".join((_table(report), *notices))
    sys.stdout.write(text + "\n")
    return 0 if healthy else 1


def _table(report: SystemReport) -> str:
    rows = [("process", "state", "pid", "port", "memory", "restarts", "ready after")]
    rows += [_row(p) for p in report.processes]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    total = sum(p.memory_mb or 0 for p in report.processes)
    return "\n".join((report.url, "", *lines, "", f"{total:.0f} MB in all"))


def _row(process: ProcessReport) -> tuple[str, ...]:
    return (
        process.name,
        process.stage,
        str(process.pid or ""),
        str(process.port or ""),
        "" if process.memory_mb is None else f"{process.memory_mb:.0f} MB",
        str(process.restarts or ""),
        "" if process.ready_after_s is None else f"{process.ready_after_s:.1f} s",
    )
