"""The five images with the official emulators: files of every kind go in by both ways and are found."""

from collections.abc import Iterator

import pytest

from tests.conformance.containers.compose_system import ComposeSystem
from tests.conformance.containers.official import suite_of
from tests.pipeline import test_both_ways_in, test_moments
from tests.pipeline.test_both_ways_in import fed

__all__ = ["fed"]  # the fixture that feeds the system

globals().update(suite_of(test_both_ways_in, test_moments))
pytestmark = pytest.mark.timeout(1800)


@pytest.fixture(scope="session")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ComposeSystem]:
    running = ComposeSystem(tmp_path_factory.mktemp("compose") / "data")
    try:
        running.start()
        yield running
    finally:
        running.stop()
