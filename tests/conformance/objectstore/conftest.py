"""One storage emulator for all the suites over object stores."""

from collections.abc import Iterator

import pytest

from tests.conformance.storage_emulator.process import StorageProcess


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StorageProcess]:
    process = StorageProcess(tmp_path_factory.mktemp("objects"))
    process.start()
    yield process
    process.stop()
