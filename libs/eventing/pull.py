"""The pull door: the official client's streaming pull per subscription, under a watchdog.

The client's threads only hand messages to the event loop and carry acks back; flow control holds at most the
subscription's ``concurrency`` messages, and the client extends their leases while handlers work.
"""

import asyncio
import threading
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import structlog
from google.cloud.pubsub_v1 import SubscriberClient
from google.cloud.pubsub_v1.subscriber.message import Message
from google.cloud.pubsub_v1.types import FlowControl

from eventing.delivery import Ack, Delivery, Nack, Settlement
from eventing.runtime import Runtime

_LEASE_S = 60
"""Leases are extended by at least this much: the default of 10 s starves under load (FACTS 4)."""

_WATCH_INTERVAL_S = 1.0
_SILENT_STREAM_S = 600.0
"""A stream that delivered nothing for this long is reopened: some die without anyone being told (FACTS 7)."""

_HELPERS = {
    "Thread-CallbackRequestDispatcher",
    "Thread-ConsumeBidirectionalStream",
    "Thread-LeaseMaintainer",
    "Thread-Heartbeater",
}
"""The client's threads per stream; one that dies leaves the stream looking alive (FACTS 3.1, defect 3)."""

_PATIENCE_S = 24 * 3600.0
"""How long a message is held while a dependency is down or a budget is spent: its lease is extended meanwhile."""

_LONGEST_REOPEN_PAUSE_S = 10.0
_DRAIN_S = 7.0
_CLOSE_S = 1.0
"""A stream whose broker is away does not close by itself; waiting longer would outlast a stopping service's 10 s."""

_log = structlog.get_logger()


class PullDoor:
    """Delivers every subscription's messages to its runtime while :meth:`running` is entered."""

    def __init__(self, project: str, runtimes: Sequence[Runtime]) -> None:
        self._project = project
        self._runtimes = runtimes
        self._streams: list[_Stream] = []

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None, None]:
        """Opens the streams; on leaving, finishes what is in flight and nacks what is not begun."""
        client = SubscriberClient()
        self._streams = [
            _Stream(client, client.subscription_path(self._project, runtime.subscription.name), runtime)
            for runtime in self._runtimes
        ]
        watchers = [asyncio.create_task(stream.keep_open()) for stream in self._streams]
        try:
            yield
        finally:
            await asyncio.gather(*(stream.drain() for stream in self._streams))
            for watcher in watchers:
                watcher.cancel()
            await asyncio.gather(*watchers, return_exceptions=True)
            await asyncio.to_thread(client.close)

    async def check(self) -> None:
        """For readiness. Raises ``ConnectionError`` naming the subscriptions whose stream is not open."""
        closed = [stream.name for stream in self._streams if not stream.is_open]
        if closed or not self._streams:
            raise ConnectionError(f"not receiving: {', '.join(closed) or 'no stream yet'}")


class _Stream:
    def __init__(self, client: SubscriberClient, path: str, runtime: Runtime) -> None:
        self.name = runtime.subscription.name
        self._client = client
        self._path = path
        self._runtime = runtime
        self._loop = asyncio.get_running_loop()
        self._tasks: set[asyncio.Task[None]] = set()
        self._future: Any = None
        self._helpers: list[threading.Thread] = []
        self._last_sign = time.monotonic()
        self._draining = False

    @property
    def is_open(self) -> bool:
        return self._future is not None and not self._future.done() and all(t.is_alive() for t in self._helpers)

    async def keep_open(self) -> None:
        """Opens the stream and reopens it whenever it has ended, lost a helper thread or fallen silent."""
        pause = 0.2
        try:
            while True:
                await asyncio.to_thread(self._open)
                opened = time.monotonic()
                await self._until_stale()
                await asyncio.to_thread(self._close)
                pause = 0.2 if time.monotonic() - opened > _LONGEST_REOPEN_PAUSE_S else pause * 2
                await asyncio.sleep(min(pause, _LONGEST_REOPEN_PAUSE_S))
        finally:
            await asyncio.to_thread(self._close)

    async def drain(self) -> None:
        """Takes nothing new and lets what is in flight finish; what does not is nacked."""
        self._draining = True
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=_DRAIN_S)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _open(self) -> None:
        with _opening:
            before = set(threading.enumerate())
            flow = FlowControl(
                max_messages=self._runtime.subscription.concurrency,
                min_duration_per_lease_extension=_LEASE_S,
                max_lease_duration=_PATIENCE_S + 600,
            )
            self._last_sign = time.monotonic()
            self._future = self._client.subscribe(self._path, self._on_message, flow_control=flow)
            started = set(threading.enumerate()) - before
            self._helpers = [thread for thread in started if thread.name in _HELPERS]

    async def _until_stale(self) -> None:
        while self.is_open:
            if not self._tasks and time.monotonic() - self._last_sign > _SILENT_STREAM_S:
                return
            await asyncio.sleep(_WATCH_INTERVAL_S)
        failure = self._future.exception(timeout=0) if self._future.done() else "a helper thread died"
        _log.warning("stream ended", subscription=self.name, reason=str(failure)[:300])

    def _close(self) -> None:
        if self._future is None:
            return
        self._future.cancel()
        try:
            self._future.result(timeout=_CLOSE_S)
        except Exception as error:
            _log.debug("stream closed", subscription=self.name, reason=str(error)[:300])

    def _on_message(self, message: Message) -> None:
        self._last_sign = time.monotonic()
        self._loop.call_soon_threadsafe(self._start, message)

    def _start(self, message: Message) -> None:
        if self._draining:
            message.nack()
            return
        task = asyncio.create_task(self._work(message))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _work(self, message: Message) -> None:
        try:
            settlement = await self._runtime.process(delivery_of(message))
        except BaseException:
            message.nack()
            raise
        _settle(message, settlement)


_opening = threading.Lock()


def delivery_of(message: Message) -> Delivery:
    """The client's message as the runtime knows it."""
    attributes: Mapping[str, str] = dict(message.attributes)
    return Delivery(
        message.message_id, message.data, attributes, message.publish_time, message.delivery_attempt, _PATIENCE_S
    )


def _settle(message: Message, settlement: Settlement) -> None:
    match settlement:
        case Ack():
            message.ack()
        case Nack(delay_s) if delay_s > 0:
            # Keeping the lease for the delay and letting it go unextended is a nack that waits.
            message.modify_ack_deadline(round(delay_s))
            message.drop()
        case Nack():
            message.nack()
