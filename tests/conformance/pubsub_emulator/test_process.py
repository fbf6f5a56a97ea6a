"""The process: ready line, taken ports, a data directory in use, stopping, health, faults."""

import asyncio
import json
import socket
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import grpc
import pytest
from google.api_core import exceptions

from tests.conformance.pubsub_emulator.cloud import Cloud, StreamRequests, async_clients
from tests.conformance.pubsub_emulator.emulator_process import EmulatorProcess, command


def run(data_dir: Path, port: int, jwks_port: int = 0) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(data_dir, port, jwks_port), capture_output=True, text=True, timeout=30, check=False)


@pytest.mark.parametrize("which", ["grpc", "jwks"])
def test_taken_port_is_a_clear_refusal(tmp_path: Path, which: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        result = run(tmp_path / "d", port) if which == "grpc" else run(tmp_path / "d", 0, port)
    assert result.returncode == 2
    assert f"port {port}" in result.stderr
    assert "Traceback" not in result.stderr
    assert result.stdout == ""


def test_data_directory_in_use_is_refused(emulator: EmulatorProcess) -> None:
    result = run(emulator.data_dir, 0)
    assert result.returncode == 2
    assert str(emulator.data_dir) in result.stderr


def test_unusable_data_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result = run(tmp_path / "file" / "d", 0)
    assert result.returncode == 2
    assert "not usable" in result.stderr


def test_broken_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "pubsub.sqlite3").write_bytes(b"not a database" * 1000)
    result = run(tmp_path, 0)
    assert result.returncode == 2
    assert "not usable" in result.stderr


async def test_stop_ends_streams_and_pulls_so_that_clients_reconnect(
    emulator: EmulatorProcess, connect: Callable[[EmulatorProcess], Cloud]
) -> None:
    cloud = connect(emulator)
    subscription = cloud.subscription(cloud.topic())
    publisher, subscriber = async_clients(emulator.host)
    async with publisher, subscriber:
        requests = StreamRequests(subscription)
        stream = aiter(await subscriber.streaming_pull(requests=requests, timeout=60))
        pull = asyncio.create_task(subscriber.pull(subscription=subscription, max_messages=1, timeout=60, retry=None))
        await asyncio.sleep(0.2)
        assert emulator.stop() == 0
        with pytest.raises(exceptions.ServiceUnavailable):
            await anext(stream)
        with pytest.raises(exceptions.ServiceUnavailable):
            await pull
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", emulator.port)) != 0


def test_refused_write_fails_the_publish_and_ends_the_process(tmp_path: Path) -> None:
    """A file size limit stands in for a full disk."""
    process = EmulatorProcess(tmp_path / "data")
    process.start(largest_file=1_000_000)
    cloud = Cloud(process.host)
    topic = cloud.topic()
    subscription = cloud.subscription(topic)
    cloud.publish(topic, b"small")
    with pytest.raises(exceptions.ServiceUnavailable):
        cloud.bare_publisher.publish(topic=topic, messages=[{"data": b"x" * 3_000_000}], retry=None)
    assert process.wait() == 1
    cloud.close()
    process.start()
    cloud = Cloud(process.host)
    assert [received.message.data for received in cloud.pull(subscription, 1)] == [b"small"]
    cloud.close()
    process.stop()


def test_health_and_unknown_paths(shared_emulator: EmulatorProcess) -> None:
    with urlopen(shared_emulator.jwks_url.replace("jwks.json", "healthz"), timeout=5) as answer:
        assert answer.read() == b"ok\n"
    with pytest.raises(HTTPError, match="404") as refusal:
        urlopen(shared_emulator.jwks_url + "x", timeout=5)
    refusal.value.close()


def set_faults(host: str, **settings: object) -> bytes:
    with grpc.insecure_channel(host) as channel:
        return channel.unary_unary("/mmsearch.localcloud.Faults/Set")(json.dumps(settings).encode(), timeout=5)


def test_faults_deliver_several_times_and_shuffle(
    emulator: EmulatorProcess, connect: Callable[[EmulatorProcess], Cloud]
) -> None:
    cloud = connect(emulator)
    topic = cloud.topic()
    subscription = cloud.subscription(topic)
    set_faults(emulator.host, deliveries=3, max_delay=0.3)
    bodies = [str(i).encode() for i in range(20)]
    cloud.publish(topic, *bodies)
    came: list[bytes] = []
    end = time.monotonic() + 20
    while len(came) < 60:
        assert time.monotonic() < end, Counter(came)
        messages = cloud.pull_once(subscription, timeout=2)
        came += [received.message.data for received in messages]
        if messages:
            cloud.ack(subscription, *messages)
    assert Counter(came) == dict.fromkeys(bodies, 3)
    assert came[:20] != bodies
    set_faults(emulator.host)
    assert cloud.pull_once(subscription, timeout=1) == []


def test_bad_faults_are_refused(shared_emulator: EmulatorProcess) -> None:
    with pytest.raises(grpc.RpcError) as refusal:
        set_faults(shared_emulator.host, deliveries=0)
    assert refusal.value.code() == grpc.StatusCode.INVALID_ARGUMENT
