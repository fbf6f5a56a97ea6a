"""Bound sockets and the application into uvicorn servers that share one event loop, the relay and one
clean stop."""

import asyncio
import contextlib
import logging
import signal
import socket
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor

import uvicorn

from localcloud.storage.system import StorageSystem

logger = logging.getLogger(__name__)

# Disk work waits, it does not compute: more threads than cores.
_THREADS = 12
_SWEEP_SECONDS = 3600
# Clients keep connections in pools; one closed under a request fails that request.
_KEEP_ALIVE_SECONDS = 620
_STOP_SECONDS = 5


class PortTakenError(Exception):
    """Something else listens on the port."""


def bind(port: int) -> socket.socket:
    """A listening socket on 127.0.0.1; `PortTakenError` when there is one already."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # Accepted connections inherit it: an answer must not wait for the acknowledgement of its head.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        listener.bind(("127.0.0.1", port))
        listener.listen(256)
    except OSError as error:
        listener.close()
        raise PortTakenError(f"cannot listen on 127.0.0.1:{port}: {error.strerror}") from None
    return listener


async def serve(
    system: StorageSystem, plain: socket.socket, tls: socket.socket | None, on_ready: Callable[[], None]
) -> None:
    """Serve until SIGTERM or SIGINT, or until a background task fails, which is raised.

    `on_ready` is called once requests are answered.
    """
    loop = asyncio.get_running_loop()
    loop.set_default_executor(ThreadPoolExecutor(_THREADS, thread_name_prefix="storage"))
    servers = [(_server(system, tls=False), plain)]
    if tls is not None:
        servers.append((_server(system, tls=True), tls))

    def stop() -> None:
        for server, _ in servers:
            server.should_exit = True

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    background = [asyncio.create_task(_sweep(system))]
    if system.relay is not None:
        background.append(asyncio.create_task(system.relay.run()))
    else:
        logger.warning("PUBSUB_EMULATOR_HOST is not set: notifications are kept, not published")
    background.append(asyncio.create_task(_announce([server for server, _ in servers], on_ready)))
    for task in background:
        # Serving on without the relay would keep every notification back in silence.
        task.add_done_callback(lambda ended: stop() if not ended.cancelled() and ended.exception() else None)
    try:
        await asyncio.gather(*(server.serve(sockets=[listener]) for server, listener in servers))
    finally:
        for task in background:
            task.cancel()
        ended = await asyncio.gather(*background, return_exceptions=True)
    for failure in ended:
        if isinstance(failure, Exception):
            raise failure


class _Server(uvicorn.Server):
    """Says when it answers, and leaves the signals of the process to `serve`, which has two servers to stop."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.answering = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.answering.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


def _server(system: StorageSystem, *, tls: bool) -> _Server:
    config = uvicorn.Config(
        system.app,
        lifespan="off",
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=_STOP_SECONDS,
        ssl_certfile=system.certificate if tls else None,
        ssl_keyfile=system.key if tls else None,
    )
    return _Server(config)


async def _announce(servers: list[_Server], on_ready: Callable[[], None]) -> None:
    for server in servers:
        await server.answering.wait()
    on_ready()


async def _sweep(system: StorageSystem) -> None:
    while True:
        await asyncio.sleep(_SWEEP_SECONDS)
        await asyncio.to_thread(system.sweep)
