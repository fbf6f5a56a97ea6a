"""``localcloud up``: a data directory and a public port into a running system, until it is told to stop."""

import asyncio
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from shlex import quote

from localcloud import ports
from localcloud.data_dir import AlreadyRunningError, DataDir
from localcloud.log_files import Console, ProcessLog
from localcloud.process import Process
from localcloud.settings import coloured
from localcloud.state import write_state
from localcloud.supervisor import StartFailedError, Supervisor
from localcloud.system import PORT_NAMES, System

STOPPED, FAILED, REFUSED = 0, 1, 2
"""Exit codes: stopped as asked; something could not be started; nothing was started (port or directory taken)."""

_PORT_PATIENCE_S = 2
_STATE_PAUSE_S = 5


@dataclass(frozen=True)
class Wish:
    """What to run: where, on which public port, and whether the processes' log lines are shown."""

    data: DataDir
    port: int
    quiet: bool
    retry_min_s: float | None = None
    retry_max_s: float | None = None


def up(wish: Wish, system_type: type[System] = System) -> int:
    """Runs the system in the foreground; the exit code. ``system_type`` declares what it is made of."""
    try:
        with wish.data.locked():
            wish.data.remove_env()
            wish.data.state.unlink(missing_ok=True)
            if not _becomes_free(wish.port):
                taken_by = ports.holder(wish.port) or "another process"
                return _refuse(f"Port {wish.port} is taken by {taken_by}. Choose another one with --port.")
            return asyncio.run(_run(wish, system_type))
    except AlreadyRunningError as running:
        return _refuse(f"{running}. Stop it with: mmsearch down --data-dir {quote(str(wish.data.path))}")
    except OSError as unusable:
        return _refuse(f"The data directory {wish.data.path} cannot be used: {unusable}")


async def _run(wish: Wish, system_type: type[System]) -> int:
    began = time.monotonic()
    system = system_type(
        wish.data,
        wish.port,
        ports.assign(PORT_NAMES, wish.data.ports, reserved=wish.port),
        wish.retry_min_s,
        wish.retry_max_s,
    )
    ready = False
    state = _StateFile(lambda: write_state(wish.data, system.public_url, ready=ready, statuses=supervisor.statuses))
    supervisor = Supervisor(system.processes(), _open_log(wish), state.write)
    asked = _asked_to_stop()
    running = asyncio.create_task(supervisor.start())
    try:
        await asyncio.wait((running, asked), return_when=asyncio.FIRST_COMPLETED)
        if not asked.done():
            running.result()
            ready = True
            state.write()
            wish.data.write_env(system.client_variables())
            _say(_banner(wish, system, time.monotonic() - began))
            running = asyncio.create_task(supervisor.watch())
            await asyncio.wait((running, asked), return_when=asyncio.FIRST_COMPLETED)
        if not asked.done():
            running.result()
    except StartFailedError as failed:
        _say(f"\nCould not start: {failed}\nEverything it printed: {wish.data.logs}")
        return FAILED
    finally:
        wish.data.remove_env()
        running.cancel()
        await supervisor.stop()
        await asyncio.gather(running, return_exceptions=True)
        state.close()
        wish.data.state.unlink(missing_ok=True)
        _say("mmsearch has stopped.")
    return STOPPED


class _StateFile:
    """Written at every change; on a full disk the system runs on, and what could not be written is written later."""

    def __init__(self, write: Callable[[], None]) -> None:
        self._write = write
        self._again: asyncio.TimerHandle | None = None

    def write(self) -> None:
        """Tries at once, and as long as it fails every few seconds."""
        failed_before = self._again is not None
        self.close()
        try:
            self._write()
        except OSError as error:
            if not failed_before:
                _console(f"[supervisor] cannot write the state of the processes, and will try again: {error}")
            self._again = asyncio.get_running_loop().call_later(_STATE_PAUSE_S, self.write)

    def close(self) -> None:
        """Nothing is written later."""
        if self._again is not None:
            self._again.cancel()
            self._again = None


def _asked_to_stop() -> asyncio.Future[None]:
    """Done at Ctrl-C, SIGTERM or when the terminal is closed."""
    loop = asyncio.get_running_loop()
    asked: asyncio.Future[None] = loop.create_future()

    def ask() -> None:
        if not asked.done():
            asked.set_result(None)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, ask)
    return asked


def _open_log(wish: Wish) -> Callable[[Process], ProcessLog]:
    console: Console | None = None if wish.quiet else _console
    opened: list[str] = []

    def open_log(process: Process) -> ProcessLog:
        opened.append(process.name)
        return ProcessLog(process.name, wish.data.logs, console, len(opened) if coloured() else None)

    return open_log


def _becomes_free(port: int) -> bool:
    # After a kill -9 of a supervisor its processes are gone only a moment later.
    deadline = time.monotonic() + _PORT_PATIENCE_S
    while not ports.is_free(port):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


def _banner(wish: Wish, system: System, seconds: float) -> str:
    return (
        f"\n  mmsearch is ready after {seconds:.1f} s:  {system.public_url}\n"
        f"  settings for other tools:      source {quote(str(wish.data.env))}\n"
        f"  logs:                          {wish.data.logs}\n"
        f"  stop:                          Ctrl-C, or mmsearch down --data-dir {quote(str(wish.data.path))}\n"
    )


def _console(line: str) -> None:
    # A terminal or pipe that has gone away must not take the system with it.
    try:
        sys.stderr.write(line + "\n")
        sys.stderr.flush()
    except OSError:
        pass


def _say(text: str) -> None:
    try:
        sys.stdout.write(text + "\n")
        sys.stdout.flush()
    except OSError:
        pass


def _refuse(reason: str) -> int:
    sys.stderr.write(reason + "\n")
    return REFUSED
