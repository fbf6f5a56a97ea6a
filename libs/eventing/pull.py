"""The pull door: one stream per subscription, on the official asynchronous client, opened again whenever it ends.

Everything happens on the event loop; acks and extended leases travel on the stream itself. What was to be told when a
stream broke is told on the next one, and what got lost with it is a redelivery, which every handler may meet.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC
from typing import Any

import structlog
from google.pubsub_v1.services.subscriber import SubscriberAsyncClient
from google.pubsub_v1.types import StreamingPullRequest, StreamingPullResponse

from eventing.delivery import Delivery, Nack, Settlement
from eventing.leases import LEASE_S, Leases
from eventing.runtime import Runtime
from telemetry.failures import describe

_SILENT_STREAM_S = 600.0
"""A stream that delivered nothing for this long is reopened: some die without anyone being told. Unless there
is no room for more: then it may deliver nothing, and another one would."""

_SETTLED_S = 2.0
"""A stream that has not been refused for this long is taken for open, should the broker answer only with a message."""

_PATIENCE_S = 24 * 3600.0
"""How long a message is held while a dependency is down or a budget is spent: its lease is extended meanwhile."""

_FIRST_REOPEN_PAUSE_S = 0.2
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
        client = SubscriberAsyncClient()
        self._streams = [_Stream(client, self._project, runtime) for runtime in self._runtimes]
        opened = [asyncio.create_task(stream.keep_open()) for stream in self._streams]
        try:
            yield
        finally:
            await asyncio.gather(*(stream.drain() for stream in self._streams))
            await asyncio.wait(opened, timeout=_CLOSE_S)
            for task in opened:
                task.cancel()
            await asyncio.gather(*opened, return_exceptions=True)
            await client.transport.close()

    async def check(self) -> None:
        """For readiness. Raises ``ConnectionError`` naming the subscriptions whose stream is not open."""
        closed = [stream.name for stream in self._streams if not stream.is_open]
        if closed or not self._streams:
            raise ConnectionError(f"not receiving: {', '.join(closed) or 'no stream yet'}")


class _Stream:
    def __init__(self, client: SubscriberAsyncClient, project: str, runtime: Runtime) -> None:
        self.name = runtime.subscription.name
        self._client = client
        self._path = f"projects/{project}/subscriptions/{self.name}"
        self._runtime = runtime
        self._leases = Leases(time.monotonic)
        self._news = asyncio.Event()
        # The broker counts for each stream; what an earlier one brought is counted here.
        self._room = asyncio.Semaphore(runtime.subscription.concurrency)
        self._tasks: set[asyncio.Task[None]] = set()
        self._stream: asyncio.Timeout | None = None
        self._asked_at = 0.0
        self._answered = False
        self._draining = False
        self._drained = False

    @property
    def is_open(self) -> bool:
        """False while there is no stream, or none that the broker is known to have taken."""
        return self._stream is not None and (self._answered or time.monotonic() - self._asked_at > _SETTLED_S)

    async def keep_open(self) -> None:
        """Opens the stream and reopens it whenever it has ended or fallen silent, until everything is drained."""
        pause = _FIRST_REOPEN_PAUSE_S
        while not self._drained:
            began = time.monotonic()
            try:
                await self._receive()
                reason = "the broker closed it"
            except Exception as error:
                reason = describe(error)
            if self._drained:
                return
            _log.warning("stream ended", subscription=self.name, reason=reason)
            lasted = time.monotonic() - began > _LONGEST_REOPEN_PAUSE_S
            pause = _FIRST_REOPEN_PAUSE_S if lasted else min(pause * 2, _LONGEST_REOPEN_PAUSE_S)
            await asyncio.sleep(pause)

    async def drain(self) -> None:
        """Takes nothing new and lets what is in flight finish; what does not is nacked. Then the stream may end."""
        self._draining = True
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=_DRAIN_S)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._drained = True
        self._news.set()

    async def _receive(self) -> None:
        self._asked_at, self._answered = time.monotonic(), False
        routing = (("x-goog-request-params", f"subscription={self._path}"),)
        try:
            async with asyncio.timeout(_SILENT_STREAM_S) as stream:
                self._stream = stream
                # The client's own limit would end a stream after half an hour, in the middle of a word.
                call: Any = self._client.streaming_pull(
                    self._requests(stream), retry=None, timeout=None, metadata=routing
                )
                responses = await call
                self._answered = True
                async for response in responses:
                    _not_silent(stream)
                    for received in StreamingPullResponse.pb(response).received_messages:
                        self._take(received)
        finally:
            self._stream = None

    async def _requests(self, stream: asyncio.Timeout) -> AsyncGenerator[StreamingPullRequest, None]:
        yield StreamingPullRequest(
            subscription=self._path,
            stream_ack_deadline_seconds=LEASE_S,
            max_outstanding_messages=self._runtime.subscription.concurrency,
        )
        ending = False
        while not ending:
            with suppress(TimeoutError):
                async with asyncio.timeout(0 if self._drained else self._leases.due_in_s()):
                    await self._news.wait()
            if stream is not self._stream:
                return  # it has broken meanwhile: what is to be told is for its successor
            if len(self._tasks) >= self._runtime.subscription.concurrency:
                _not_silent(stream)
            self._news.clear()
            ending = self._drained  # nothing is settled after that
            yield self._leases.take()

    def _take(self, received: Any) -> None:
        if self._draining:
            self._settle(received.ack_id, Nack())
            return
        self._leases.hold(received.ack_id)
        task = asyncio.create_task(self._work(received))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _work(self, received: Any) -> None:
        settlement: Settlement = Nack()
        try:
            async with self._room:
                settlement = await self._runtime.process(delivery_of(received))
        finally:
            self._settle(received.ack_id, settlement)

    def _settle(self, ack_id: str, settlement: Settlement) -> None:
        self._leases.settle(ack_id, settlement)
        self._news.set()


def _not_silent(stream: asyncio.Timeout) -> None:
    stream.reschedule(asyncio.get_running_loop().time() + _SILENT_STREAM_S)


def delivery_of(received: Any) -> Delivery:
    """A plain ``ReceivedMessage`` of the wire as the runtime knows it."""
    message = received.message
    return Delivery(
        message.message_id,
        message.data,
        dict(message.attributes),
        message.publish_time.ToDatetime(UTC),
        received.delivery_attempt or None,
        _PATIENCE_S,
    )
