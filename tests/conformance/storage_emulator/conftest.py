"""A running emulator, the official client pointed at it, and a fresh bucket."""

import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from google.cloud import storage

from tests.conformance.storage_emulator.process import PROJECT, StorageProcess


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StorageProcess]:
    """Shared by every test that does not kill it."""
    process = StorageProcess(tmp_path_factory.mktemp("storage"), "--tls-port", "0")
    process.start()
    yield process
    assert process.stop() == 0


@pytest.fixture
def own_emulator(tmp_path: Path) -> Iterator[StorageProcess]:
    """One that the test may kill."""
    process = StorageProcess(tmp_path / "storage")
    process.start()
    yield process
    process.kill()


def connect(process: StorageProcess, monkeypatch: pytest.MonkeyPatch) -> storage.Client:
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", process.url)
    return storage.Client(project=PROJECT)


@pytest.fixture
def client(emulator: StorageProcess, monkeypatch: pytest.MonkeyPatch) -> Iterator[storage.Client]:
    connected = connect(emulator, monkeypatch)
    yield connected
    connected.close()


@pytest.fixture
def own_client(own_emulator: StorageProcess, monkeypatch: pytest.MonkeyPatch) -> Iterator[storage.Client]:
    connected = connect(own_emulator, monkeypatch)
    yield connected
    connected.close()


@pytest.fixture
def bucket(client: storage.Client) -> storage.Bucket:
    return client.create_bucket(f"bucket-{secrets.token_hex(6)}")


def open_session(blob: storage.Blob, **options: Any) -> str:
    """The address of a new resumable upload session."""
    url = blob.create_resumable_upload_session(**options)
    assert url
    return url


@pytest.fixture
def http() -> Iterator[requests.Session]:
    with requests.Session() as session:
        yield session
