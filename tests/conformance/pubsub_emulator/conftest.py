"""The Pub/Sub under test: ours in a process of its own, or the one CONFORMANCE_PUBSUB_HOST names."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conformance.pubsub_emulator.cloud import Cloud
from tests.conformance.pubsub_emulator.emulator_process import EmulatorProcess

FOREIGN_HOST = os.environ.get("CONFORMANCE_PUBSUB_HOST")


@pytest.fixture(scope="session")
def shared_emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmulatorProcess]:
    """One process of ours for all tests that do not harm it."""
    process = EmulatorProcess(tmp_path_factory.mktemp("pubsub") / "data")
    process.start()
    yield process
    process.stop()


@pytest.fixture(scope="session")
def pubsub_host(request: pytest.FixtureRequest) -> str:
    """host:port of the Pub/Sub under test."""
    return FOREIGN_HOST or request.getfixturevalue("shared_emulator").host


@pytest.fixture
def own_emulator(request: pytest.FixtureRequest) -> EmulatorProcess:
    """Our process behind ``cloud``, for what only it has (signed push tokens, faults)."""
    if FOREIGN_HOST:
        pytest.skip("another Pub/Sub is under test")
    return request.getfixturevalue("shared_emulator")


@pytest.fixture(scope="session")
def cloud(pubsub_host: str) -> Iterator[Cloud]:
    clients = Cloud(pubsub_host)
    yield clients
    clients.close()


@pytest.fixture
def emulator(tmp_path: Path) -> Iterator[EmulatorProcess]:
    """A process of ours that the test may kill and restart."""
    process = EmulatorProcess(tmp_path / "data")
    process.start()
    yield process
    process.stop()


@pytest.fixture
def connect() -> Iterator[Callable[[EmulatorProcess], Cloud]]:
    """Clients of a process the test owns, closed at its end."""
    opened: list[Cloud] = []

    def open_clients(process: EmulatorProcess) -> Cloud:
        opened.append(Cloud(process.host))
        return opened[-1]

    yield open_clients
    for clients in opened:
        clients.close()
