"""Two processes of one service that share a directory show one set of metrics, also after one was killed."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from prometheus_client.parser import text_string_to_metric_families

ROOT = Path(__file__).parents[2]
PROGRAM = textwrap.dedent(
    """
    import asyncio, sys, uvicorn
    from pathlib import Path
    from fastapi import APIRouter
    from contracts.artifacts import Service
    from hosting.app import create_app

    router = APIRouter()

    @router.get("/things/{thing}")
    async def thing(thing: str) -> str:
        if thing == "slow":
            await asyncio.sleep(60)
        return thing

    app = create_app(Service.SEARCH, routers=[router], shared_metrics=Path(sys.argv[2]))
    uvicorn.run(app, port=int(sys.argv[1]), log_level="error")
    """
)


class Pair:
    """Two processes of the same service."""

    def __init__(self, shared: Path, ports: tuple[int, int]) -> None:
        environment = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(shared)}
        environment["PYTHONPATH"] = os.pathsep.join(str(ROOT / p) for p in ("", "libs", "services", "deploy/local"))
        self.urls = [f"http://127.0.0.1:{port}" for port in ports]
        self.processes = [
            subprocess.Popen([sys.executable, "-c", PROGRAM, str(port), str(shared)], env=environment) for port in ports
        ]
        self.http = httpx2.Client(trust_env=False, verify=False, timeout=20)

    def get(self, which: int, path: str) -> httpx2.Response:
        return self.http.get(self.urls[which] + path)

    def until_up(self) -> None:
        for which in (0, 1):
            for _ in range(300):
                try:
                    self.get(which, "/health")
                    break
                except httpx2.TransportError:
                    time.sleep(0.1)

    def value(self, which: int, name: str, **labels: str) -> float:
        families = text_string_to_metric_families(self.get(which, "/metrics").text)
        samples = [s for family in families for s in family.samples if s.name == name]
        return sum(s.value for s in samples if labels.items() <= s.labels.items())

    def until_counted(self, which: int, name: str, expected: float, **labels: str) -> None:
        """A request is counted once its answer has been sent, which who asks may know earlier."""
        for _ in range(300):
            if self.value(which, name, **labels) == expected:
                return
            time.sleep(0.1)
        assert self.value(which, name, **labels) == expected

    def stop(self) -> None:
        self.http.close()
        for process in self.processes:
            process.kill()
            process.wait()


@pytest.fixture
def pair(tmp_path: Path, unused_ports: tuple[int, int]) -> Iterator[Pair]:
    running = Pair(tmp_path, unused_ports)
    running.until_up()
    yield running
    running.stop()


def test_counts_add_up_and_the_dead_are_forgotten(pair: Pair) -> None:
    for which in (0, 0, 0, 1, 1):
        assert pair.get(which, "/things/a").json() == "a"
    route = {"route": "/things/{thing}", "service": "search"}
    for which in (0, 1):
        pair.until_counted(which, "http_requests_total", 5, **route)
        pair.until_counted(which, "http_request_duration_seconds_count", 5, **route)

    with pytest.raises(httpx2.TimeoutException):
        pair.http.get(pair.urls[1] + "/things/slow", timeout=0.5)
    assert pair.value(0, "http_requests_in_progress") >= 1
    pair.processes[1].send_signal(signal.SIGKILL)
    pair.processes[1].wait()
    assert pair.value(0, "http_requests_in_progress") == 1, "the scrape itself"
    assert pair.value(0, "http_requests_total", **route) == 5
