"""A list of declared processes into a running system: started in order, kept alive, stopped in reverse order."""

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from graphlib import TopologicalSorter

from localcloud.child import Child, ChildExitedError, describe_exit
from localcloud.log_files import ProcessLog
from localcloud.process import Kind, Process

_FIRST_BACKOFF_S, _LAST_BACKOFF_S = 0.2, 30.0
_HEALTHY_S = 30
_START_ATTEMPTS = 3
_CANNOT_START = 2
"""The exit code by which a process says that trying again is no use (a taken port, an unusable directory)."""


class Stage(Enum):
    """Where a process is in its life."""

    WAITING = "waiting"
    STARTING = "starting"
    READY = "ready"
    DONE = "done"
    BACKING_OFF = "backing off"
    STOPPED = "stopped"


@dataclass
class Status:
    """What is known of one process now; ``ready_after_s`` counts from the start of the system."""

    name: str
    kind: Kind
    port: int | None
    stage: Stage = Stage.WAITING
    pid: int | None = None
    restarts: int = 0
    ready_after_s: float | None = None


class StartFailedError(Exception):
    """A process could not be started; the message names it and ends with what it printed last."""

    def __init__(self, name: str, reason: str, tail: Iterable[str]) -> None:
        lines = "".join(f"\n    {line}" for line in tail)
        super().__init__(f"{name} {reason}" + (f"; it said last:{lines}" if lines else ""))


class _Keeper:
    """Keeps one process running."""

    def __init__(self, process: Process, log: ProcessLog, began: float, changed: Callable[[], None]) -> None:
        self.process = process
        self.status = Status(process.name, process.kind, process.port)
        self.ready = asyncio.Event()
        self._log = log
        self._began = began
        self._changed = changed

    async def run(self, needs: Sequence["_Keeper"]) -> None:
        """Until cancelled; a job until it is done. Raises :class:`StartFailedError` before it was ever ready."""
        try:
            for need in needs:
                await need.ready.wait()
            if self.process.kind is Kind.JOB:
                await self._run_job()
            else:
                await self._run_service()
        except asyncio.CancelledError:
            self._enter(Stage.STOPPED)
            raise
        finally:
            self._log.close()

    async def _run_job(self) -> None:
        mark = self.process.mark
        if mark is not None and mark.is_set():
            self._reached(Stage.DONE)
            return
        child = await self._start()
        try:
            async with asyncio.timeout(self.process.ready_timeout_s):
                code = await child.exited()
        except TimeoutError:
            raise self._failed(f"was not done after {self.process.ready_timeout_s:g} s") from None
        finally:
            await child.stop()
        if code != 0:
            raise self._failed(describe_exit(code))
        if mark is not None:
            mark.set()
        self._reached(Stage.DONE)

    async def _run_service(self) -> None:
        backoff = _FIRST_BACKOFF_S
        while True:
            child = await self._start()
            try:
                reason = await self._until_end(child)
            finally:
                await child.stop()
            if time.monotonic() - child.started > _HEALTHY_S:
                backoff = _FIRST_BACKOFF_S
            self.status.restarts += 1
            self._enter(Stage.BACKING_OFF)
            self._log.write(f"[supervisor] {self.process.name} {reason}; starting it again in {backoff:g} s")
            await asyncio.sleep(backoff)
            backoff = min(backoff * 2, _LAST_BACKOFF_S)

    async def _until_end(self, child: Child) -> str:
        """How a service ended that may be started again."""
        try:
            await child.until_ready()
        except ChildExitedError as exited:
            self._give_up_early(str(exited), hopeless=exited.code == _CANNOT_START)
            return str(exited)
        except TimeoutError:
            reason = f"was not ready after {self.process.ready_timeout_s:g} s"
            self._give_up_early(reason, hopeless=True)
            return reason
        self._reached(Stage.READY)
        return describe_exit(await child.exited())

    def _give_up_early(self, reason: str, *, hopeless: bool) -> None:
        # Once it has been ready it is started again for ever: what stops it then is likely to pass.
        if not self.ready.is_set() and (hopeless or self.status.restarts + 1 >= _START_ATTEMPTS):
            raise self._failed(reason)

    async def _start(self) -> Child:
        self._enter(Stage.STARTING)
        try:
            child = await Child.start(self.process, self._log)
        except OSError as error:
            raise self._failed(f"could not be started: {error}") from error
        self._enter(Stage.STARTING, child.pid)
        return child

    def _reached(self, stage: Stage) -> None:
        if self.status.ready_after_s is None:
            self.status.ready_after_s = round(time.monotonic() - self._began, 2)
        self._enter(stage, None if stage is Stage.DONE else self.status.pid)
        self.ready.set()

    def _enter(self, stage: Stage, pid: int | None = None) -> None:
        self.status.stage, self.status.pid = stage, pid
        self._changed()

    def _failed(self, reason: str) -> StartFailedError:
        return StartFailedError(self.process.name, reason, self._log.tail)


class Supervisor:
    """Runs one system. ``open_log`` gives each process its log; ``changed`` hears of every change of ``statuses``."""

    def __init__(
        self,
        processes: Sequence[Process],
        open_log: Callable[[Process], ProcessLog],
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        # Raises CycleError when processes wait for each other, KeyError below when one waits for nobody.
        self._order = tuple(TopologicalSorter({p.name: p.needs for p in processes}).static_order())
        self._by_name = {p.name: p for p in processes}
        self._open_log = open_log
        self._changed = changed
        self._keepers: dict[str, _Keeper] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    @property
    def statuses(self) -> tuple[Status, ...]:
        """Every process in the order of starting."""
        return tuple(self._keepers[name].status for name in self._order if name in self._keepers)

    async def start(self) -> None:
        """Returns when everything is ready; raises :class:`StartFailedError` (call :meth:`stop` even so)."""
        began = time.monotonic()
        for name in self._order:
            process = self._by_name[name]
            self._keepers[name] = _Keeper(process, self._open_log(process), began, self._changed)
        for name, keeper in self._keepers.items():
            needs = [self._keepers[need] for need in keeper.process.needs]
            self._tasks[name] = asyncio.create_task(keeper.run(needs), name=name)
        everything = asyncio.create_task(self._all_ready())
        try:
            await self._first_failure_or(everything)
        finally:
            everything.cancel()

    async def watch(self) -> None:
        """Runs for as long as the system does; raises what went wrong when keeping a process alive is impossible."""
        # Not gathered: to cancel that cancels every task at once, and :meth:`stop` would cut their stopping short.
        done, _ = await asyncio.wait(self._tasks.values(), return_when=asyncio.FIRST_EXCEPTION)
        for task in done:
            task.result()

    async def stop(self) -> None:
        """Stops every process before those it needs; nothing of them is left afterwards."""
        stopped = {name: asyncio.Event() for name in self._tasks}

        async def stop_one(name: str) -> None:
            for other in self._tasks:
                if name in self._by_name[other].needs:
                    await stopped[other].wait()
            self._tasks[name].cancel()
            await asyncio.gather(self._tasks[name], return_exceptions=True)
            stopped[name].set()

        await asyncio.gather(*(stop_one(name) for name in self._tasks))

    async def _all_ready(self) -> None:
        for keeper in self._keepers.values():
            await keeper.ready.wait()

    async def _first_failure_or(self, everything: asyncio.Task[None]) -> None:
        pending: set[asyncio.Task[None]] = {everything, *self._tasks.values()}
        while not everything.done():
            done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
