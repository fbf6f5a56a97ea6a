"""A Redis in this process that speaks the wire format: what instances share, and what may go away."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

import pytest
from fakeredis import TcpFakeServer


@contextmanager
def redis(port: int = 0) -> Iterator[int]:
    """The port it listens on, a free one unless told."""
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
