"""Turns an untrusted file into a validated ``Decoded``, by a child process under limits that may die in any way.

Every way a child can end becomes a code: out of time ``timeout``, of memory or space ``resource_limit``, a crash
``corrupt``. If the file had been opened by then, it is the reason for a degradation only.
"""

import asyncio
import contextlib
import itertools
import json
import signal
import socket
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self, TypeVar

import structlog
from pydantic import ValidationError

from contracts.artifacts import Degradation, FailureCode
from eventing.errors import Reject
from media_processor.decoded import (
    MAX_DEGRADATIONS,
    REPORT_NAME,
    UNFINISHED_NAMES,
    Decoded,
    DecodeLimits,
    Job,
    Report,
    Unfinished,
)
from media_processor.fork_server import EXIT_DEFECT, EXIT_LIMIT
from telemetry import spans

DECODE_ENTRY = "media_processor.decoding:run"
_CLEAN_ENVIRONMENT = {"OPENBLAS_NUM_THREADS": "1"}  # a forking process must not have threads
_STOP_S = 5.0
_NEAR_LIMIT = 0.7

_log = structlog.get_logger()
ModelT = TypeVar("ModelT", Report, Unfinished)


@dataclass(frozen=True)
class SandboxLimits:
    """What one child may use: wall and CPU seconds, bytes of address space, bytes per written file."""

    wall_s: float = 300
    cpu_s: int = 300
    memory_bytes: int = 2 * 1024**3
    file_bytes: int = 256 * 1024**2

    def as_rlimits(self) -> dict[str, tuple[int, int]]:
        """(soft, hard) by ``RLIMIT_`` name, as the fork server sets them."""
        return {
            "RLIMIT_CPU": (self.cpu_s, self.cpu_s + 1),  # the soft limit's signal tells this end from others
            "RLIMIT_AS": (self.memory_bytes, self.memory_bytes),
            "RLIMIT_FSIZE": (self.file_bytes, self.file_bytes),
            "RLIMIT_CORE": (0, 0),
            "RLIMIT_NOFILE": (256, 256),
        }


@dataclass(frozen=True)
class ChildEnd:
    """How a child ended: exit code (negative: the signal), CPU seconds, peak resident bytes."""

    exit: int
    cpu_s: float
    peak_rss: int


class SandboxLostError(Exception):
    """The fork server died, or a child failed through no fault of its file; the work can be tried again."""


@dataclass
class _Server:
    process: asyncio.subprocess.Process
    writer: asyncio.StreamWriter
    network_isolated: bool
    waiting: dict[int, asyncio.Future[ChildEnd]] = field(default_factory=dict[int, "asyncio.Future[ChildEnd]"])
    listener: asyncio.Task[None] | None = None

    @property
    def alive(self) -> bool:
        return self.listener is not None and not self.listener.done()

    def order(self, **message: Any) -> None:
        self.writer.write(json.dumps(message).encode() + b"\n")


class Sandbox:
    """Runs ``entry`` on one job per child. Use as an async context manager; all calls from one event loop.

    ``entry`` is ``module:function`` and is imported from ``search_path`` first.
    """

    def __init__(
        self, limits: SandboxLimits | None = None, entry: str = DECODE_ENTRY, search_path: Sequence[Path] = ()
    ) -> None:
        self.limits = limits or SandboxLimits()
        self._command = (entry, *(str(p) for p in search_path))
        self._numbers = itertools.count(1)
        self._starting = asyncio.Lock()
        self._server: _Server | None = None

    async def __aenter__(self) -> Self:
        await self._running_server()
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server:
            await self._stop(self._server)
            self._server = None

    @property
    def network_isolated(self) -> bool:
        """True when children live in an empty network namespace (the kernel may refuse that)."""
        return self._server is not None and self._server.network_isolated

    async def decode(self, source: Path, filename: str, output: Path, limits: DecodeLimits | None = None) -> Decoded:
        """Decodes one file; pictures are left in ``output``, an empty directory.

        Raises ``Reject`` with the code of whatever is wrong with the file, ``SandboxLostError`` when it is ours.
        """
        job = Job(source=source, output=output, filename=filename, limits=limits or DecodeLimits())
        try:
            with spans.internal("decode") as span:
                end = await asyncio.wait_for(self.run(job.model_dump_json()), self.limits.wall_s)
                span.set_attribute("mmsearch.cpu_s", round(end.cpu_s, 3))
                span.set_attribute("mmsearch.peak_rss_bytes", end.peak_rss)
        except TimeoutError:
            refusal = Reject(FailureCode.TIMEOUT, f"Reading the file took longer than {self.limits.wall_s:g} s.")
            return await asyncio.to_thread(_unfinished, output, refusal)
        _log.info("decoder ended", exit=end.exit, cpu_s=round(end.cpu_s, 3), peak_rss_bytes=end.peak_rss)
        return await asyncio.to_thread(self._read_report, output, end)

    async def run(self, job: str) -> ChildEnd:
        """Runs the entry on a job in a child of its own; the child is killed when the caller is cancelled."""
        server = await self._running_server()
        number = next(self._numbers)
        ended = asyncio.get_running_loop().create_future()
        server.waiting[number] = ended
        server.order(number=number, job=job, limits=self.limits.as_rlimits())
        try:
            return await asyncio.shield(ended)
        except asyncio.CancelledError:
            server.order(number=number, kill=True)
            with contextlib.suppress(SandboxLostError, TimeoutError):
                await asyncio.wait_for(ended, _STOP_S)  # its files are gone from under it only once it is dead
            raise

    def _read_report(self, output: Path, end: ChildEnd) -> Decoded:
        if end.exit == EXIT_DEFECT:
            raise SandboxLostError("a child failed for a reason outside its file")
        if end.exit != 0:
            return _unfinished(output, self._refusal(end))
        report = _read(output / REPORT_NAME, Report)
        if report and report.rejection:
            if report.rejection.detail:
                _log.warning("decoder failed", detail=report.rejection.detail)
            raise Reject(report.rejection.code, report.rejection.message)
        if report is None or report.decoded is None or not _files_exist(output, report.decoded):
            raise Reject(FailureCode.CORRUPT, "Reading the file gave no usable result.")
        return report.decoded

    def _refusal(self, end: ChildEnd) -> Reject:
        if end.exit == -signal.SIGXCPU:
            return Reject(FailureCode.TIMEOUT, f"Reading the file took more than {self.limits.cpu_s} s of computing.")
        if (
            end.exit in {EXIT_LIMIT, -signal.SIGKILL, -signal.SIGXFSZ}
            or end.peak_rss > self.limits.memory_bytes * _NEAR_LIMIT
        ):
            return Reject(FailureCode.RESOURCE_LIMIT, "Reading the file needed more memory or space than is allowed.")
        return Reject(FailureCode.CORRUPT, "The file is damaged: its decoder gave up on it.")

    async def _running_server(self) -> _Server:
        async with self._starting:
            if self._server and not self._server.alive:
                await self._stop(self._server)
                self._server = None
            if self._server is None:
                self._server = await self._start()
            return self._server

    async def _start(self) -> _Server:
        ours, theirs = socket.socketpair()
        with theirs:
            entry, *search_path = self._command
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-I", "-X", "utf8", "-m", "media_processor.fork_server"),
                *(str(theirs.fileno()), entry, *search_path),
                stdin=asyncio.subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                env=_CLEAN_ENVIRONMENT,
                start_new_session=True,
            )
        reader, writer = await asyncio.open_unix_connection(sock=ours)
        first = await reader.readline()
        if not first:
            writer.close()
            raise SandboxLostError(f"the fork server did not start (exit code {await process.wait()})")
        server = _Server(process, writer, bool(json.loads(first)["network_isolated"]))
        server.listener = asyncio.create_task(_listen(reader, server.waiting))
        return server

    @staticmethod
    async def _stop(server: _Server) -> None:
        server.writer.close()
        try:
            await asyncio.wait_for(server.process.wait(), _STOP_S)
        except TimeoutError:
            server.process.kill()
            await server.process.wait()
        if server.listener:
            await server.listener


async def _listen(reader: asyncio.StreamReader, waiting: dict[int, "asyncio.Future[ChildEnd]"]) -> None:
    with contextlib.suppress(ConnectionError):
        while line := await reader.readline():
            message = json.loads(line)
            future = waiting.pop(message.pop("number"), None)
            if future and not future.done():
                future.set_result(ChildEnd(**message))
    for future in waiting.values():
        if not future.done():
            future.set_exception(SandboxLostError("the fork server died"))
    waiting.clear()


def _unfinished(output: Path, refusal: Reject) -> Decoded:
    """What a child had read before the step in which it ended. Raises ``refusal`` if it had not opened the file."""
    for path in sorted(output.glob(UNFINISHED_NAMES), reverse=True):
        note = _read(path, Unfinished)
        if note and _files_exist(output, note.decoded):
            _log.warning("decoder ended early", step=note.step, code=refusal.code)
            reason = f"{refusal.message} What would have come after this step is missing as well."
            noted = (Degradation(step=note.step, reason=reason), *note.decoded.degradations)
            return note.decoded.model_copy(update={"degradations": noted[:MAX_DEGRADATIONS]})
    raise refusal


def _read(path: Path, model: type[ModelT]) -> ModelT | None:
    """None where there is nothing, or nothing usable."""
    try:
        return model.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return None


def _files_exist(output: Path, decoded: Decoded) -> bool:
    names = [p.name for p in (*decoded.pictures, *decoded.storyboard, *decoded.speech)]
    names += [f.name for f in (decoded.thumbnail, decoded.preview) if f]
    return all((output / name).is_file() and not (output / name).is_symlink() for name in names)
