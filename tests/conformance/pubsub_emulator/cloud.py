"""The official clients against one Pub/Sub, with fresh names for every test."""

import asyncio
import contextlib
import itertools
import os
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from typing import Any

from google.cloud import pubsub_v1
from google.cloud.pubsub_v1.subscriber.message import Message
from google.pubsub_v1 import PublisherAsyncClient, PublisherClient, SubscriberAsyncClient, types

PROJECT = "projects/conformance-1"


class Cloud:
    """Clients of one host; everything a test creates has its own names."""

    def __init__(self, host: str) -> None:
        self.host = host
        self._run = uuid.uuid4().hex[:8]
        self._numbers = itertools.count(1)
        with emulator_host(host):
            self.publisher = pubsub_v1.PublisherClient(
                pubsub_v1.types.BatchSettings(max_latency=0.001),
                pubsub_v1.types.PublisherOptions(enable_message_ordering=True),
            )
            self.bare_publisher = PublisherClient()
            self.subscriber = pubsub_v1.SubscriberClient()

    def close(self) -> None:
        self.publisher.stop()
        self.publisher.transport.close()
        self.bare_publisher.transport.close()
        self.subscriber.close()

    def name(self, collection: str, project: str = PROJECT) -> str:
        return f"{project}/{collection}/t-{self._run}-{next(self._numbers)}"

    def topic(self, project: str = PROJECT, **settings: Any) -> str:
        name = self.name("topics", project)
        self.publisher.create_topic(request={"name": name, **settings}, retry=None)
        return name

    def subscription(self, topic: str, **settings: Any) -> str:
        name = self.name("subscriptions")
        request = {"name": name, "topic": topic, **settings}
        self.subscriber.create_subscription(request=request, retry=None)
        return name

    def publish(self, topic: str, *bodies: bytes, ordering_key: str = "", **attributes: str) -> list[str]:
        futures = [self.publisher.publish(topic, body, ordering_key=ordering_key, **attributes) for body in bodies]
        return [future.result(timeout=20) for future in futures]

    def pull_once(self, subscription: str, most: int = 100, timeout: float = 0.3) -> list[types.ReceivedMessage]:
        """One Pull; nothing within the timeout is an empty list on every implementation."""
        request = {"subscription": subscription, "max_messages": most}
        with contextlib.suppress(Exception):
            return list(self.subscriber.pull(request=request, timeout=timeout, retry=None).received_messages)
        return []

    def pull(self, subscription: str, count: int, patience: float = 20.0) -> list[types.ReceivedMessage]:
        """Pull until there are ``count`` messages, without acknowledging."""
        found: list[types.ReceivedMessage] = []
        end = time.monotonic() + patience
        while len(found) < count:
            assert time.monotonic() < end, f"only {len(found)} of {count} messages came"
            found += self.pull_once(subscription, count - len(found), timeout=5)
        return found

    def ack(self, subscription: str, *messages: types.ReceivedMessage) -> None:
        ack_ids = [message.ack_id for message in messages]
        self.subscriber.acknowledge(request={"subscription": subscription, "ack_ids": ack_ids}, retry=None)

    def set_deadline(self, subscription: str, seconds: int, *messages: types.ReceivedMessage) -> None:
        self.subscriber.modify_ack_deadline(
            request={
                "subscription": subscription,
                "ack_ids": [message.ack_id for message in messages],
                "ack_deadline_seconds": seconds,
            },
            retry=None,
        )

    def nack(self, subscription: str, *messages: types.ReceivedMessage) -> None:
        self.set_deadline(subscription, 0, *messages)

    @contextlib.contextmanager
    def streaming(
        self, subscription: str, callback: Callable[[Message], None], **options: Any
    ) -> Iterator[pubsub_v1.subscriber.futures.StreamingPullFuture]:
        """A streaming pull of the official client while the block runs."""
        future = self.subscriber.subscribe(subscription, callback, **options)
        try:
            yield future
        finally:
            future.cancel()
            with contextlib.suppress(CancelledError, Exception):
                future.result(timeout=20)


@contextlib.contextmanager
def emulator_host(host: str) -> Iterator[None]:
    """Clients read the variable when they are constructed."""
    before = os.environ.get("PUBSUB_EMULATOR_HOST")
    os.environ["PUBSUB_EMULATOR_HOST"] = host
    try:
        yield
    finally:
        del os.environ["PUBSUB_EMULATOR_HOST"]
        if before is not None:
            os.environ["PUBSUB_EMULATOR_HOST"] = before


def async_clients(host: str) -> tuple[PublisherAsyncClient, SubscriberAsyncClient]:
    with emulator_host(host):
        return PublisherAsyncClient(), SubscriberAsyncClient()


class StreamRequests:
    """The requests of one stream: the first one, then what the test sends."""

    def __init__(self, subscription: str) -> None:
        self._queue: asyncio.Queue[types.StreamingPullRequest] = asyncio.Queue()
        self.send(subscription=subscription, stream_ack_deadline_seconds=10, max_outstanding_messages=5)

    def send(self, **fields: object) -> None:
        self._queue.put_nowait(types.StreamingPullRequest(**fields))

    def __aiter__(self) -> "StreamRequests":
        return self

    async def __anext__(self) -> types.StreamingPullRequest:
        return await self._queue.get()


def eventually(condition: Callable[[], bool], patience: float = 20.0) -> None:
    """Wait until a condition that another thread brings about holds."""
    end = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.01)
