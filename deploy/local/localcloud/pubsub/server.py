"""The emulator composed: disk, catalog, broker, push and services behind one gRPC port.

Everything is wired here and nowhere else.
"""

import asyncio
import contextlib
import itertools
import time
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from pathlib import Path

import grpc

from localcloud.pubsub.admin import SERVICE, faults_methods
from localcloud.pubsub.broker import Broker
from localcloud.pubsub.catalog import Catalog
from localcloud.pubsub.deliveries import Failure
from localcloud.pubsub.errors import UnavailableError
from localcloud.pubsub.faults import Faults
from localcloud.pubsub.journal import Journal, open_database
from localcloud.pubsub.jwks_server import serve_jwks
from localcloud.pubsub.message_store import MessageStore
from localcloud.pubsub.metrics import exposition
from localcloud.pubsub.oidc import TokenSigner
from localcloud.pubsub.publisher import PublisherService
from localcloud.pubsub.push import PushDelivery
from localcloud.pubsub.rpc import service
from localcloud.pubsub.schema import StoredState, load_state
from localcloud.pubsub.subscriber import SubscriberService
from localcloud.pubsub.subscription import Runtime, Subscription

_GRACE_SECONDS = 0.2
_OPTIONS = (
    ("grpc.so_reuseport", 0),
    # A publish request may have 10 MB of payload.
    ("grpc.max_receive_message_length", 16 * 1024 * 1024),
    ("grpc.max_send_message_length", -1),
    # The clients ping idle connections every 30 s; by default a server hangs up on that.
    ("grpc.http2.min_ping_interval_without_data_ms", 5000),
    ("grpc.http2.max_ping_strikes", 0),
    ("grpc.keepalive_permit_without_calls", 1),
)


@dataclass(frozen=True, slots=True)
class Ports:
    """Where the emulator listens on 127.0.0.1; jwks is None when nobody asked for it."""

    grpc: int
    jwks: int | None


class PortTakenError(Exception):
    """Something else listens on a port we were told to use."""


@contextlib.asynccontextmanager
async def running(
    data_dir: Path, port: int, jwks_port: int | None, on_failure: Callable[[BaseException], None]
) -> AsyncGenerator[Ports]:
    """The emulator, listening; 0 picks a free port. on_failure is told that the disk refused a write."""
    path = data_dir / "pubsub.sqlite3"
    state = await asyncio.to_thread(_load, path)
    signer = await asyncio.to_thread(TokenSigner, data_dir / "oidc-key.pem")
    server = grpc.aio.server(options=_OPTIONS)
    bound = _bind(server, port)
    async with contextlib.AsyncExitStack() as cleanup:
        journal = Journal(path, on_failure)
        cleanup.push_async_callback(journal.close)
        store = MessageStore(journal)
        faults = Faults()
        # Generations only grow, across restarts too: they start at the present time.
        generations = itertools.count(time.time_ns() // 1000)

        def on_exhausted(subscription: Subscription, failure: Failure) -> None:
            broker.dead_letter(subscription, failure)

        runtime = Runtime(journal, store, faults, generations, on_exhausted)
        catalog = Catalog(runtime)
        broker = Broker(journal, store, catalog)
        cleanup.push_async_callback(broker.close)
        push = PushDelivery(store, signer)
        cleanup.push_async_callback(push.close)
        catalog.load(state)
        catalog.watch(push.follow)
        sweeper = asyncio.create_task(broker.expire_messages())
        cleanup.callback(sweeper.cancel)
        _answer(server, PublisherService(catalog, broker), SubscriberService(catalog, store), faults)
        bound_jwks = None if jwks_port is None else await _serve_jwks(cleanup, signer, catalog, jwks_port)
        await server.start()
        cleanup.push_async_callback(server.stop, _GRACE_SECONDS)
        # UNAVAILABLE makes clients reconnect; a cancelled stream would end their subscriptions for good.
        cleanup.callback(catalog.close, UnavailableError("The embedded Pub/Sub is stopping."))
        yield Ports(bound, bound_jwks)


def _answer(
    server: grpc.aio.Server, publisher: PublisherService, subscriber: SubscriberService, faults: Faults
) -> None:
    server.add_generic_rpc_handlers(
        (
            service(publisher.name, publisher.methods()),
            service(subscriber.name, subscriber.methods()),
            service(SERVICE, faults_methods(faults)),
        )
    )


def _load(path: Path) -> StoredState:
    with contextlib.closing(open_database(path)) as database:
        return load_state(database)


def _bind(server: grpc.aio.Server, port: int) -> int:
    try:
        return server.add_insecure_port(f"127.0.0.1:{port}")
    except RuntimeError as refused:
        raise PortTakenError(f"port {port} on 127.0.0.1 is taken or not allowed") from refused


async def _serve_jwks(cleanup: contextlib.AsyncExitStack, signer: TokenSigner, catalog: Catalog, port: int) -> int:
    try:
        server = await serve_jwks(signer.jwks(), lambda: exposition(catalog.subscriptions.values()), port)
    except OSError as refused:
        raise PortTakenError(f"port {port} on 127.0.0.1 is taken or not allowed") from refused
    cleanup.callback(server.close)
    return server.sockets[0].getsockname()[1]
