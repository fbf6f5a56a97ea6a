"""A system of their own for the tests that harm it, and small files each with a word of its own."""

import json
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest

from localcloud.samples import Sample, make_many
from tests.pipeline.local_system import LocalSystem


@pytest.fixture(scope="session")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalSystem]:
    running = LocalSystem(tmp_path_factory.mktemp("faults") / "data")
    running.start()
    yield running
    running.stop()


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Sample]:
    return make_many(Path(tmp_path_factory.mktemp("many")), 60, seed=11)


def set_faults(system: LocalSystem, **faults: float) -> None:
    """Tells the broker how badly to behave: ``deliveries`` per message, ``max_delay`` seconds before each."""
    with grpc.insecure_channel(system.variables["PUBSUB_EMULATOR_HOST"]) as channel:
        call = channel.unary_unary(
            "/mmsearch.localcloud.Faults/Set", request_serializer=bytes, response_deserializer=bytes
        )
        call(json.dumps(faults).encode(), timeout=10)
