"""One running process of a system: started in its own process group, its output logged, waited for and ended."""

import asyncio
import contextlib
import json
import os
import signal
import time

from localcloud.log_files import ProcessLog
from localcloud.parentage import dies_with_parent
from localcloud.ports import LOOPBACK
from localcloud.process import HttpReady, Process, ReadyLine, TcpReady

_POLL_S = 0.05
_PROBE_TIMEOUT_S = 5
_OUTPUT_TIMEOUT_S = 1
_READ_BYTES = 64 * 1024
_GATHERED_S = 0.01
"""What a process prints within this time is read together: to wake for each line costs both sides more than the line.
Its pipe holds 64 KiB, so it would have to print 6 MB a second to wait for us."""


class ChildExitedError(Exception):
    """The process ended before it was ready, with ``code`` (negative: killed by that signal)."""

    def __init__(self, code: int) -> None:
        super().__init__(describe_exit(code))
        self.code = code


class Child:
    """A started process. It and everything it started are gone after :meth:`stop`."""

    def __init__(self, process: Process, running: asyncio.subprocess.Process, output: int, log: ProcessLog) -> None:
        self._process = process
        self._running = running
        self._log = log
        self._said_ready = asyncio.Event()
        self._pump = asyncio.create_task(self._pump_output(output))
        self.started = time.monotonic()

    @classmethod
    async def start(cls, process: Process, log: ProcessLog) -> "Child":
        """Starts the process; it dies with the supervisor, however that dies."""
        # A pipe of our own: with asyncio's, waiting for a process would also wait for whoever inherited its output.
        output, written = os.pipe()
        try:
            running = await asyncio.create_subprocess_exec(
                *process.argv,
                env=dict(process.env),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=written,
                stderr=asyncio.subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=dies_with_parent(signal.SIGKILL),
            )
        except BaseException:
            os.close(output)
            raise
        finally:
            os.close(written)
        return cls(process, running, output, log)

    @property
    def pid(self) -> int:
        """Also the id of its process group."""
        return self._running.pid

    async def exited(self) -> int:
        """Waits for the end of the process, which ends its group; the exit code, negative when a signal killed it."""
        code = await self._running.wait()
        self.kill()
        await self._output_logged()
        return code

    async def until_ready(self) -> None:
        """Returns when ready; raises :class:`ChildExitedError` or ``TimeoutError``."""
        exited = asyncio.create_task(self.exited())
        ready = asyncio.create_task(self._ready())
        try:
            async with asyncio.timeout(self._process.ready_timeout_s):
                await asyncio.wait((exited, ready), return_when=asyncio.FIRST_COMPLETED)
            if exited.done():
                raise ChildExitedError(exited.result())
        finally:
            for task in (exited, ready):
                task.cancel()
            await asyncio.gather(exited, ready, return_exceptions=True)

    async def stop(self) -> None:
        """SIGTERM to the process; SIGKILL to its group when that does not help in time, and to what is left of it."""
        if self._running.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._running.terminate()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._process.stop_timeout_s):
                    await self._running.wait()
        self.kill()
        await self.exited()
        self._pump.cancel()
        await asyncio.wait((self._pump,))

    def kill(self) -> None:
        """SIGKILL to the whole group."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)

    async def _output_logged(self) -> None:
        # A process that left the group can hold the pipe open; it is not waited for.
        await asyncio.wait((self._pump,), timeout=_OUTPUT_TIMEOUT_S)

    async def _pump_output(self, output: int) -> None:
        reader = asyncio.StreamReader()
        protocol = asyncio.StreamReaderProtocol(reader)
        pipe, _ = await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, os.fdopen(output, "rb"))
        try:
            while data := await reader.read(_READ_BYTES):
                for line in self._log.feed(data):
                    if not self._said_ready.is_set() and _is_ready_line(line):
                        self._said_ready.set()
                pipe.pause_reading()
                await asyncio.sleep(_GATHERED_S)
                pipe.resume_reading()
        finally:
            pipe.close()

    async def _ready(self) -> None:
        match self._process.ready:
            case ReadyLine():
                await self._said_ready.wait()
            case TcpReady(port):
                await _until_answers(port, None)
            case HttpReady(port, path):
                await _until_answers(port, path)


def describe_exit(code: int) -> str:
    """``exited with code 3`` or ``was killed by SIGKILL``."""
    if code >= 0:
        return f"exited with code {code}"
    try:
        return f"was killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"was killed by signal {-code}"


def _is_ready_line(line: str) -> bool:
    if not line.startswith("{"):
        return False
    try:
        said = json.loads(line)
    except ValueError:
        return False
    return isinstance(said, dict) and said.get("ready") is True


async def _until_answers(port: int, path: str | None) -> None:
    while not await _answers(port, path):  # noqa: ASYNC110 - another process raises no event here
        await asyncio.sleep(_POLL_S)


async def _answers(port: int, path: str | None) -> bool:
    """True when the port accepts a connection and, with a path, answers a GET with 200."""
    with contextlib.suppress(OSError, TimeoutError):
        async with asyncio.timeout(_PROBE_TIMEOUT_S):
            reader, writer = await asyncio.open_connection(LOOPBACK, port)
            try:
                if path is None:
                    return True
                writer.write(f"GET {path} HTTP/1.1\r\nHost: {LOOPBACK}\r\nConnection: close\r\n\r\n".encode())
                return (await reader.readline()).split(b" ")[1:2] == [b"200"]
            finally:
                writer.close()
    return False
