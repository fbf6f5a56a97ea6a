"""The official images as fixtures. A server that runs already is taken instead where CONFORMANCE_PUBSUB_HOST or
CONFORMANCE_STORAGE_URL names it; without either and without Docker the tests say that they were skipped.
"""

import os
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud import storage

from tests.conformance.containers.official import (
    StorageServer,
    docker_is_there,
    official_pubsub,
    official_storage,
)
from tests.conformance.pubsub_emulator.cloud import Cloud

HERE = Path(__file__).parent
RUNNING_PUBSUB = os.environ.get("CONFORMANCE_PUBSUB_HOST")
RUNNING_STORAGE = os.environ.get("CONFORMANCE_STORAGE_URL")
NEEDS = {
    "test_pubsub.py": bool(RUNNING_PUBSUB),
    "test_eventing.py": bool(RUNNING_PUBSUB),
    "test_storage.py": bool(RUNNING_STORAGE),
    "test_object_store.py": bool(RUNNING_STORAGE),
}

# Where an official image is known to differ from Google itself; ours follows Google.
DIFFERENCES: dict[str, dict[str, str]] = {
    "test_object_store.py": {
        "test_deleting_by_generation": "fake-gcs-server 1.56.1 deletes without looking at ifGenerationMatch",
        "test_a_signed_url": "fake-gcs-server does not verify signatures",
    },
    "test_pubsub.py": {
        "update": "the emulator refuses some updates of topics and subscriptions",
        "exactly_once": "the emulator has no exactly-once delivery",
        "on_the_stream_itself": "without exactly-once delivery it confirms nothing on the stream",
        "retention": "the emulator ignores retention and expiry",
        "gets_the_defaults": "without expiry there is no default of it",
        "snapshot": "the emulator knows snapshots only in part",
        "seek": "the emulator knows seeking only in part",
        "limits_are_invalid": "emulator 0.8.20 takes what Google refuses (tried)",
        "bad_settings": "emulator 0.8.20 takes what Google refuses (tried)",
        "bad_dead_letter_policy": "emulator 0.8.20 says OUT_OF_RANGE (tried)",
        "filters_select": "emulator 0.8.20 ignores filters (tried); stages let go what is not theirs",
        "exhausted_message": "emulator 0.8.20 counts deliveries but moves nothing to the dead-letter topic (tried)",
        "retry_policy_delays": "emulator 0.8.20 delivers again at once (tried)",
        "ordering_key": "emulator 0.8.20 goes on with a key after a nack (tried)",
        "detached": "emulator 0.8.20 has no DetachSubscription (tried)",
        "lists_come_in_pages": "emulator 0.8.20 takes any page token (tried)",
        "flow_control": "emulator 0.8.20 sends a stream more than it may hold (tried)",
        "share_the_load": "emulator 0.8.20 favours one stream (tried)",
        "large_backlogs": "emulator 0.8.20 answers beyond the client's 4 MiB (tried)",
    },
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE not in item.path.parents:
            continue
        item.add_marker(pytest.mark.docker)
        if not NEEDS.get(item.path.name) and not docker_is_there():
            item.add_marker(pytest.mark.skip(reason="no Docker engine here: the official images were not tried"))
        for part, reason in DIFFERENCES.get(item.path.name, {}).items():
            if part in item.name:
                item.add_marker(pytest.mark.xfail(reason=reason, strict=False))


@pytest.fixture(scope="session")
def pubsub_host() -> Iterator[str]:
    if RUNNING_PUBSUB:
        yield RUNNING_PUBSUB
        return
    with official_pubsub() as host:
        yield host


@pytest.fixture(scope="session")
def cloud(pubsub_host: str) -> Iterator[Cloud]:
    clients = Cloud(pubsub_host)
    yield clients
    clients.close()


@pytest.fixture
def own_emulator() -> None:
    pytest.skip("only our emulator can do this")


@pytest.fixture
def connect() -> Callable[..., None]:
    return lambda *_: pytest.skip("only our emulator can be killed")


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StorageServer]:
    directory = tmp_path_factory.mktemp("official-storage")
    if RUNNING_STORAGE:
        yield StorageServer.at(RUNNING_STORAGE, directory)
        return
    with official_storage() as url:
        yield StorageServer.at(url, directory)


@pytest.fixture
def client(emulator: StorageServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[storage.Client]:
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", emulator.url)
    connected = storage.Client(project="local-project", credentials=AnonymousCredentials())
    yield connected
    connected.close()


@pytest.fixture
def bucket(client: storage.Client) -> storage.Bucket:
    return client.create_bucket(f"bucket-{secrets.token_hex(6)}")
