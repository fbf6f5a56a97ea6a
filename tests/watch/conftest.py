"""Free ports for the processes the tests start."""

import pytest

from tests.ports import free_port


@pytest.fixture
def unused_ports() -> tuple[int, int]:
    first = free_port()
    return first, free_port({first})
