"""Shared by pipeline and browser tests: one running system per test process, and the sample files to feed it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from localcloud.samples import Sample, make_samples
from tests.pipeline.local_system import LocalSystem


@pytest.fixture(scope="session")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalSystem]:
    running = LocalSystem(tmp_path_factory.mktemp("system") / "data")
    running.start()
    yield running
    assert running.stop() == 0


@pytest.fixture(scope="session")
def samples(tmp_path_factory: pytest.TempPathFactory) -> list[Sample]:
    return make_samples(Path(tmp_path_factory.mktemp("samples")))
