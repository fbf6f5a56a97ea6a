"""Harms a running system by a plan that a seed decides: kills, freezes, repeats, delays, lost answers."""

import json
import random
import signal
import time
from collections.abc import Callable
from pathlib import Path

import grpc
import httpx2
import psutil

from localcloud.data_dir import DataDir
from localcloud.state import read_report
from tests.chaos.history import History
from tests.chaos.providers import Providers
from tests.pipeline.local_system import LocalSystem

SERVICES = ("upload-gateway", "media-processor", "analyzer", "embedder", "search")
CLOUD = ("pubsub", "storage", "postgres", "router")
PAID = ("analyzer", "embedder")
_FREEZE_S = (0.5, 3.0)


class Nemesis:
    """One fault at a time, each a line of the history. :meth:`heal` undoes what does not mend itself."""

    def __init__(
        self, system: LocalSystem, providers: Providers, history: History, seed: int, pause_s: tuple[float, float]
    ) -> None:
        self._system = system
        self._providers = providers
        self._history = history
        self._chance = random.Random(f"nemesis {seed}")
        self._pause_s = pause_s
        self.faults = 0
        self.kills = 0
        self.harm_to_paid = 0
        """Faults after which what was just paid for may have to be paid for again."""

    def rage(self, seconds: float) -> None:
        """Harms for so long."""
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            time.sleep(self._chance.uniform(*self._pause_s))
            self._strike()

    def heal(self) -> None:
        """Nothing is broken on purpose any more."""
        self._message_faults()
        self._storage_faults()
        self._providers.behave()
        self._history.add("heal")

    def _strike(self) -> None:
        strikes: list[tuple[int, Callable[[], str | None]]] = [
            (5, self._kill),
            (4, self._freeze),
            (2, self._shuffle),
            (2, self._lose_answers),
            (2, lambda: f"providers answer {self._providers.make_trouble(self._chance)}"),
        ]
        [(_, strike)] = self._chance.choices(strikes, [weight for weight, _ in strikes])
        done = strike()
        if done:
            self.faults += 1
            self._history.add(done)

    def _kill(self) -> str | None:
        name = self._chance.choice(SERVICES + CLOUD)
        process = self._process(name)
        if process is None:
            return None
        self._count_harm(name)
        process.kill()
        self.kills += 1
        return f"kill -9 {name}"

    def _freeze(self) -> str | None:
        name, seconds = self._chance.choice(SERVICES + CLOUD), self._chance.uniform(*_FREEZE_S)
        process = self._process(name)
        if process is None:
            return None
        self._count_harm(name)
        frozen = [process, *process.children(recursive=True)]
        _send(frozen, signal.SIGSTOP)
        time.sleep(seconds)
        _send(frozen, signal.SIGCONT)
        return f"stopped {name} for {seconds:.1f} s"

    def _shuffle(self) -> str:
        deliveries, delay = self._chance.randint(1, 3), round(self._chance.uniform(0, 1.5), 1)
        self._message_faults(deliveries=deliveries, max_delay=delay)
        return f"every event {deliveries} times, up to {delay} s late"

    def _lose_answers(self) -> str:
        chunks, answers = self._chance.randint(0, 3), self._chance.randint(0, 2)
        self._storage_faults(put_chunk_503=chunks, drop_response=answers)
        self._count_harm("storage")
        return f"storage fails {chunks} chunks and loses {answers} answers"

    def _count_harm(self, name: str) -> None:
        if name in (*PAID, "storage"):
            self.harm_to_paid += 1

    def _process(self, name: str) -> psutil.Process | None:
        """None while it is being started again."""
        report = read_report(DataDir(Path(self._system.data_dir)))
        found = next((p for p in report.processes if p.name == name and p.stage == "ready"), None) if report else None
        try:
            return psutil.Process(found.pid) if found and found.pid else None
        except psutil.NoSuchProcess:
            return None

    def _message_faults(self, **faults: float) -> None:
        try:
            with grpc.insecure_channel(self._system.variables["PUBSUB_EMULATOR_HOST"]) as channel:
                call = channel.unary_unary(
                    "/mmsearch.localcloud.Faults/Set", request_serializer=bytes, response_deserializer=bytes
                )
                call(json.dumps(faults).encode(), timeout=5)
        except grpc.RpcError:
            return  # it has just been killed: it comes back without faults

    def _storage_faults(self, **faults: int) -> None:
        try:
            httpx2.post(self._system.variables["STORAGE_EMULATOR_HOST"] + "/_faults", json=faults, timeout=5)
        except httpx2.HTTPError:
            return


def _send(processes: list[psutil.Process], number: int) -> None:
    for process in processes:
        try:
            process.send_signal(number)
        except psutil.NoSuchProcess:
            continue
