"""The supervisor over tiny real programs: order, health, restarts, backoff, stopping, and nothing left behind."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from localcloud.job_marks import Mark
from localcloud.log_files import ProcessLog
from localcloud.process import HttpReady, Kind, Process, Readiness, ReadyLine, TcpReady
from localcloud.supervisor import Stage, StartFailedError, Supervisor
from tests.integration.localcloud.programs import PATIENCE_S, is_alive, wait_for, wait_gone
from tests.ports import free_port

READY = """import sys, time; print('{"ready": true}', flush=True)\n"""
STAY = READY + "time.sleep(600)\n"


def service(
    name: str, code: str = STAY, *, needs: tuple[str, ...] = (), ready: Readiness = ReadyLine(), **limits: float
) -> Process:
    return Process(name, (sys.executable, "-c", code), dict(os.environ), ready, needs, **limits)


def job(name: str, code: str, *, needs: tuple[str, ...] = ()) -> Process:
    return Process(name, (sys.executable, "-c", code), dict(os.environ), needs=needs, kind=Kind.JOB)


@asynccontextmanager
async def supervised(tmp_path: Path, *processes: Process) -> AsyncIterator[Supervisor]:
    supervisor = Supervisor(processes, lambda process: ProcessLog(process.name, tmp_path / "logs"))
    try:
        yield supervisor
    finally:
        await supervisor.stop()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not condition():
            await asyncio.sleep(0.01)


def appends(path: Path, word: str) -> str:
    return f"open({str(path)!r}, 'a').write({word + ' '!r})\n"


def says_when_stopped(path: Path, word: str, takes_s: float = 0) -> str:
    code = f"import signal, sys\ndef stop(*_):\n    time.sleep({takes_s})\n"
    code += "    " + appends(path, word) + "    sys.exit(0)\n"
    return code + "signal.signal(signal.SIGTERM, stop)\n" + appends(path, "+" + word) + STAY


async def test_starts_in_order_and_stops_in_reverse(tmp_path: Path) -> None:
    events = tmp_path / "events"
    processes = (
        service("c", says_when_stopped(events, "c"), needs=("b",)),
        job("b", appends(events, "b"), needs=("a",)),
        service("a", says_when_stopped(events, "a")),
    )
    async with supervised(tmp_path, *processes) as supervisor:
        await supervisor.start()
        assert {s.name: s.stage for s in supervisor.statuses} == {"a": Stage.READY, "b": Stage.DONE, "c": Stage.READY}
        assert events.read_text() == "+a b +c "
    assert events.read_text() == "+a b +c c a "
    assert all(s.pid is None for s in supervisor.statuses)


async def test_who_no_longer_watches_leaves_the_stopping_its_order_and_its_time(tmp_path: Path) -> None:
    events = tmp_path / "events"
    processes = (
        service("b", says_when_stopped(events, "b", takes_s=0.5), needs=("a",)),
        service("a", says_when_stopped(events, "a", takes_s=0.5)),
    )
    async with supervised(tmp_path, *processes) as supervisor:
        await supervisor.start()
        watching = asyncio.create_task(supervisor.watch())
        await asyncio.sleep(0)
        watching.cancel()
    assert events.read_text() == "+a +b b a "


@pytest.mark.parametrize("path", [None, "/health/ready"])
async def test_waits_until_a_port_answers(tmp_path: Path, path: str | None) -> None:
    """The server refuses the first probes: it listens late, and its first answer is 503."""
    port, asked = free_port(), tmp_path / "asked"
    code = textwrap.dedent(f"""
        import http.server, time
        class Handler(http.server.BaseHTTPRequestHandler):
            statuses = [503]
            def do_GET(self):
                {appends(asked, "x").strip()}
                self.send_response(self.statuses.pop() if self.statuses else 200 if self.path == {path!r} else 404)
                self.end_headers()
        time.sleep(0.2)
        http.server.ThreadingHTTPServer(("127.0.0.1", {port}), Handler).serve_forever()
    """)
    ready = TcpReady(port) if path is None else HttpReady(port, path)
    async with supervised(tmp_path, service("web", code, ready=ready)) as supervisor:
        await supervisor.start()
        if path is not None:
            assert asked.read_text() == "x x "


async def test_what_dies_is_started_again_and_others_stay(tmp_path: Path) -> None:
    async with supervised(tmp_path, service("dies"), service("stays", needs=("dies",))) as supervisor:
        await supervisor.start()
        dies, stays = supervisor.statuses
        first, neighbour = dies.pid, stays.pid
        assert first is not None
        os.kill(first, signal.SIGKILL)
        await until(lambda: dies.restarts == 1 and dies.stage is Stage.READY)
        assert dies.pid != first
        assert stays.pid == neighbour
        assert stays.restarts == 0
    log = (tmp_path / "logs/dies.log").read_text()
    assert "dies was killed by SIGKILL; starting it again in 0.2 s" in log


async def test_backoff_doubles_for_what_keeps_dying(tmp_path: Path) -> None:
    async with supervised(tmp_path, service("dies", READY + "sys.exit(3)")) as supervisor:
        await supervisor.start()
        (status,) = supervisor.statuses
        await until(lambda: status.restarts == 3)
    log = (tmp_path / "logs/dies.log").read_text()
    pauses = [line.rpartition(" in ")[2] for line in log.splitlines() if "exited with code 3" in line]
    assert pauses[:3] == ["0.2 s", "0.4 s", "0.8 s"]


async def test_what_never_gets_ready_is_named_with_its_last_words(tmp_path: Path) -> None:
    broken = service("broken", "print('no such table: users'); raise SystemExit(4)")
    async with supervised(tmp_path, service("fine"), broken, service("after", needs=("broken",))) as supervisor:
        with pytest.raises(StartFailedError, match=r"(?s)^broken exited with code 4; .*no such table: users"):
            await supervisor.start()
        assert {s.name: s.stage for s in supervisor.statuses}["after"] is Stage.WAITING
        assert {s.name: s.restarts for s in supervisor.statuses}["broken"] == 2


async def test_exit_code_2_means_that_trying_again_is_no_use(tmp_path: Path) -> None:
    async with supervised(tmp_path, service("refuses", "print('port taken'); raise SystemExit(2)")) as supervisor:
        with pytest.raises(StartFailedError, match="port taken"):
            await supervisor.start()
        assert supervisor.statuses[0].restarts == 0


async def test_a_failed_job_fails_the_start(tmp_path: Path) -> None:
    async with supervised(tmp_path, job("migrate", "raise SystemExit(1)")) as supervisor:
        with pytest.raises(StartFailedError, match="migrate exited with code 1"):
            await supervisor.start()


async def test_what_is_not_ready_in_time_fails_the_start(tmp_path: Path) -> None:
    slow = service("slow", "import time; time.sleep(600)", ready_timeout_s=0.3)
    async with supervised(tmp_path, slow) as supervisor:
        with pytest.raises(StartFailedError, match=r"slow was not ready after 0.3 s"):
            await supervisor.start()


async def test_a_missing_program_fails_the_start(tmp_path: Path) -> None:
    async with supervised(tmp_path, Process("gone", ("/no/such/program",), {})) as supervisor:
        with pytest.raises(StartFailedError, match=r"gone could not be started: .*No such file"):
            await supervisor.start()


async def test_nothing_survives_a_stop(tmp_path: Path) -> None:
    """Neither what ignores SIGTERM nor the children a service has left behind."""
    stubborn = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + STAY
    parent = f"""
import subprocess
child = subprocess.Popen(["sleep", "600"])
open({str(tmp_path / "child")!r}, "w").write(str(child.pid))
{STAY}"""
    processes = (service("stubborn", stubborn, stop_timeout_s=0.3), service("parent", parent))
    async with supervised(tmp_path, *processes) as supervisor:
        await supervisor.start()
        pids = [status.pid for status in supervisor.statuses if status.pid]
        pids.append(int(wait_for(tmp_path / "child")))
        assert len(pids) == 3
    wait_gone(*pids)


async def test_the_children_of_what_died_are_gone_before_it_is_started_again(tmp_path: Path) -> None:
    child = tmp_path / "child"
    code = f"""
import os, subprocess
if not os.path.exists({str(child)!r}):
    open({str(child)!r}, "w").write(str(subprocess.Popen(["sleep", "600"]).pid))
{STAY}"""
    async with supervised(tmp_path, service("parent", code)) as supervisor:
        await supervisor.start()
        (status,) = supervisor.statuses
        left_behind = int(wait_for(child))
        assert is_alive(left_behind)
        assert status.pid
        os.kill(status.pid, signal.SIGKILL)
        await until(lambda: status.restarts == 1 and status.stage is Stage.READY)
        wait_gone(left_behind)


async def test_output_is_logged_whole_lines_by_process(tmp_path: Path) -> None:
    talks = "import sys, time\nsys.stdout.write('half '); sys.stdout.flush(); time.sleep(0.05)\nprint('line é')\n"
    talks += "print('wrong', file=sys.stderr)\nprint('x' * 1_000_000)\n" + STAY
    shown: list[str] = []
    process = service("talks", talks)
    supervisor = Supervisor([process], lambda p: ProcessLog(p.name, tmp_path, shown.append, 0))
    try:
        await supervisor.start()
    finally:
        await supervisor.stop()
    lines = "\n".join(shown).splitlines()
    assert lines[:2] == ["\x1b[36mtalks             | \x1b[0mhalf line é", "\x1b[36mtalks             | \x1b[0mwrong"]
    assert (tmp_path / "talks.log").read_text().splitlines()[0] == "half line é"


def test_a_killed_supervisor_takes_its_processes_along(tmp_path: Path) -> None:
    code = textwrap.dedent(f"""
        import asyncio, sys
        from pathlib import Path
        from localcloud.log_files import ProcessLog
        from localcloud.process import Process
        from localcloud.supervisor import Supervisor
        processes = [Process(n, (sys.executable, "-c", {STAY!r}), {{}}) for n in "ab"]
        async def run():
            supervisor = Supervisor(processes, lambda p: ProcessLog(p.name, Path({str(tmp_path)!r})))
            await supervisor.start()
            print(*(s.pid for s in supervisor.statuses), flush=True)
            await supervisor.watch()
        asyncio.run(run())
    """)
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as supervisor:
        assert supervisor.stdout is not None
        pids = [int(pid) for pid in supervisor.stdout.readline().split()]
        assert len(pids) == 2
        supervisor.kill()
    wait_gone(*pids)


async def test_a_start_can_be_abandoned(tmp_path: Path) -> None:
    never = service("never", "import time; time.sleep(600)")
    async with supervised(tmp_path, never) as supervisor:
        starting = asyncio.create_task(supervisor.start())
        await until(lambda: bool(supervisor.statuses) and supervisor.statuses[0].pid is not None)
        pid = supervisor.statuses[0].pid
        starting.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await starting
    assert pid is not None
    wait_gone(pid)


async def test_a_job_that_has_been_done_runs_again_only_when_something_changed(tmp_path: Path) -> None:
    runs = tmp_path / "runs"

    async def start(fingerprint: str, word: str, outcome: str = "") -> None:
        mark = Mark(tmp_path / "done", fingerprint)
        process = replace(job("migrate", appends(runs, word) + outcome), mark=mark)
        async with supervised(tmp_path, process, service("after", needs=("migrate",))) as supervisor:
            await supervisor.start()
            assert [s.stage for s in supervisor.statuses] == [Stage.DONE, Stage.READY]

    await start("1", "first")
    await start("1", "unchanged")
    with pytest.raises(StartFailedError):
        await start("2", "failed", "raise SystemExit(1)")
    await start("2", "changed")
    assert runs.read_text() == "first failed changed "
