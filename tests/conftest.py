"""For all tests: logs in plain text. For those of whole systems: one running system per process, and sample files."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from hypothesis import settings
from xdist.remote import Producer

from localcloud.samples import Sample, make_samples
from tests.pipeline.local_system import LocalSystem
from tests.scheduling import SystemsFirst, rank

settings.register_profile("untimed", deadline=None)  # machines are shared: how long one example takes says nothing
settings.load_profile("untimed")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: rank(item.nodeid))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> SystemsFirst | None:
    return SystemsFirst(config, log) if config.getoption("dist") == "loadfile" else None


@pytest.fixture(scope="session", autouse=True)
def plain_tracebacks() -> None:
    """Where a test has exceptions logged: the default's coloured tables of all locals take seconds for each."""
    *processors, _ = structlog.get_config()["processors"]
    plain = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(processors=[*processors, plain])


@pytest.fixture(scope="session")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalSystem]:
    running = LocalSystem(tmp_path_factory.mktemp("system") / "data")
    running.start()
    yield running
    assert running.stop() == 0


@pytest.fixture(scope="session")
def samples(tmp_path_factory: pytest.TempPathFactory) -> list[Sample]:
    return make_samples(Path(tmp_path_factory.mktemp("samples")))
