"""A service told to stop in the middle of its work is gone within 10 s, and what it had not finished is not lost."""

import io
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from google.api_core.exceptions import DeadlineExceeded
from google.auth.credentials import AnonymousCredentials
from google.cloud import storage
from google.cloud.pubsub_v1 import SubscriberClient
from google.cloud.pubsub_v1.types import ReceivedMessage
from PIL import Image

from tests.conformance.storage_emulator.process import BrokerProcess, StorageProcess
from tests.ports import free_port

ROOT = Path(__file__).parents[2]
PROJECT, UPLOADS, ARTIFACTS = "sigterm", "sigterm-uploads", "sigterm-artifacts"
FILES = 8
CLOUD_RUN_PATIENCE_S = 10
"""Between SIGTERM and SIGKILL."""


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Broker and storage with the topology in place; answers what a service is told."""
    broker = BrokerProcess(tmp_path_factory.mktemp("broker") / "data")
    broker.start()
    objects = StorageProcess(tmp_path_factory.mktemp("storage"), broker=broker.address)
    objects.start()
    told = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(str(ROOT / room) for room in ("", "libs", "services", "deploy/local")),
        "PUBSUB_EMULATOR_HOST": broker.address,
        "STORAGE_EMULATOR_HOST": objects.url,
        "GOOGLE_CLOUD_PROJECT": PROJECT,
        "UPLOADS_BUCKET": UPLOADS,
        "ARTIFACTS_BUCKET": ARTIFACTS,
    }
    provision = [sys.executable, "-P", "-m", "localcloud.provision", f"--project={PROJECT}"]
    provision += [f"--uploads-bucket={UPLOADS}", f"--artifacts-bucket={ARTIFACTS}", "--retry-min=0.1", "--retry-max=1"]
    subprocess.run(provision, env=told, check=True, capture_output=True)
    yield told
    objects.stop()
    broker.stop()


def start(told: dict[str, str]) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-P", "-m", "media_processor.main"]
    return subprocess.Popen(command, env={**told, "PORT": str(free_port())}, stdout=subprocess.DEVNULL)


def drop(told: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Pictures that take a while each; answers their object names."""
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", told["STORAGE_EMULATOR_HOST"])
    noise = random.Random(1)
    names = {f"amy/drop-{number}.png" for number in range(FILES)}
    client = storage.Client(project=PROJECT, credentials=AnonymousCredentials())

    def send(name: str) -> None:
        picture = io.BytesIO()
        Image.frombytes("RGB", (800, 600), noise.randbytes(800 * 600 * 3)).save(picture, "PNG", compress_level=1)
        client.bucket(UPLOADS).blob(name).upload_from_string(picture.getvalue(), content_type="image/png")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(send, names))
    client.close()
    return names


class Processed:
    """Ids of the media.processed events that search was sent, as they come."""

    def __init__(self) -> None:
        self._client = SubscriberClient()
        self._path = self._client.subscription_path(PROJECT, "search.media.processed.v1")
        self.ids: list[str] = []

    def until(self, count: int) -> None:
        deadline = time.monotonic() + 90
        while len(set(self.ids)) < count:
            assert time.monotonic() < deadline, f"{len(set(self.ids))} of {count} were processed"
            received = self._pull()
            self.ids += [message.message.attributes["ce-id"] for message in received]
            if received:
                ack_ids = [message.ack_id for message in received]
                self._client.acknowledge(request={"subscription": self._path, "ack_ids": ack_ids})

    def close(self) -> None:
        self._client.close()

    def _pull(self) -> Sequence[ReceivedMessage]:
        try:
            request = {"subscription": self._path, "max_messages": 100}
            return self._client.pull(request=request, timeout=1, retry=None).received_messages
        except DeadlineExceeded:
            return ()


def test_a_service_stopped_under_load_goes_in_time_and_loses_nothing(
    cloud: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    names = drop(cloud, monkeypatch)
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", cloud["PUBSUB_EMULATOR_HOST"])
    heard = Processed()
    service = start(cloud)
    try:
        heard.until(1)
        service.send_signal(signal.SIGTERM)
        assert service.wait(CLOUD_RUN_PATIENCE_S) == 0
        assert len(set(heard.ids)) < FILES, "it was stopped in the middle of its work"
        service = start(cloud)
        heard.until(len(names))
        assert len(set(heard.ids)) == len(names)
        service.send_signal(signal.SIGTERM)
        assert service.wait(CLOUD_RUN_PATIENCE_S) == 0
    finally:
        service.kill()
        service.wait()
        heard.close()
