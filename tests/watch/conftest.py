"""Free ports for the processes the tests start."""

import socket
from contextlib import ExitStack

import pytest


@pytest.fixture
def unused_ports() -> tuple[int, int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(2)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return sockets[0].getsockname()[1], sockets[1].getsockname()[1]
