"""A Redis on a port: what instances share, and what may go away. The real one where it is installed."""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from threading import Thread

import pytest
from fakeredis import TcpFakeServer

from tests.ports import free_port

REDIS = shutil.which("redis-server")
_PATIENCE_S = 20.0


def redis(port: int = 0) -> AbstractContextManager[int]:
    """The port it listens on, a free one unless told."""
    return _installed(REDIS, port or free_port()) if REDIS else _imitated(port)


@contextmanager
def _installed(program: str, port: int) -> Iterator[int]:
    only_in_memory = ("--save", "", "--appendonly", "no")
    command = [program, "--port", str(port), "--bind", "127.0.0.1", *only_in_memory]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as server:
        try:
            _wait_for(port)
            yield port
        finally:
            server.terminate()


def _wait_for(port: int) -> None:
    until = time.monotonic() + _PATIENCE_S
    while time.monotonic() < until:
        try:
            with socket.create_connection(("127.0.0.1", port)):
                return
        except ConnectionRefusedError:
            time.sleep(0.02)
    raise RuntimeError("redis-server did not start")


@contextmanager
def _imitated(port: int) -> Iterator[int]:
    pytest.importorskip("lupa", reason="the counters are Lua scripts, which fakeredis runs only with lupa")
    server = TcpFakeServer(("127.0.0.1", port), server_type="redis")
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
