"""Three ways for a message to reach the runtime, behind one face: memory, streaming pull, push over HTTP."""

import asyncio
import socket
import threading
import uuid
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Protocol

import uvicorn
from google.cloud.pubsub_v1 import PublisherClient, SubscriberClient
from google.protobuf.duration_pb2 import Duration

from contracts.artifacts import Service
from contracts.topology import DEAD_LETTER_TOPIC, Subscription
from eventing.consumer import Consumer
from eventing.publisher import Publisher, PubSubPublisher
from eventing.push import PushIdentity
from eventing.runtime import Runtime
from eventing.testing import MemoryBroker
from hosting.app import create_app

PUSH_ACCOUNT = "pusher@mmsearch-test.iam.gserviceaccount.com"


@dataclass(frozen=True)
class Captured:
    """A message seen on a topic."""

    data: bytes
    attributes: dict[str, str]


class Harness(Protocol):
    """What a test of the suite may do."""

    publisher: Publisher

    async def serve(self, consumed: Sequence[Runtime]) -> None: ...

    async def publish(self, topic: str, data: bytes, attributes: dict[str, str]) -> None: ...

    async def until(self, condition: Callable[[], bool]) -> None: ...

    def on(self, topic: str) -> list[Captured]: ...


class MemoryHarness:
    """The fake that ships in ``eventing.testing``."""

    def __init__(self) -> None:
        self.publisher = MemoryBroker()

    async def serve(self, consumed: Sequence[Runtime]) -> None:
        self.publisher.attach(consumed)

    async def publish(self, topic: str, data: bytes, attributes: dict[str, str]) -> None:
        await self.publisher.publish(topic, data, attributes)

    async def until(self, condition: Callable[[], bool]) -> None:
        await self.publisher.drain()
        assert condition()

    def on(self, topic: str) -> list[Captured]:
        return [Captured(m.data, dict(m.attributes)) for m in self.publisher.on(topic)]


@dataclass
class EmulatorHarness:
    """A project of its own on a running emulator, its topics captured; subclasses say how messages arrive."""

    jwks_url: str
    topics: Sequence[str]
    project: str = field(default_factory=lambda: f"test-{uuid.uuid4().hex[:12]}")
    captured: dict[str, list[Captured]] = field(default_factory=dict[str, list[Captured]])

    def __post_init__(self) -> None:
        self.publisher = PubSubPublisher(self.project)
        self._admin = PublisherClient()
        self._subscriber = SubscriberClient()
        self._stop = threading.Event()
        for topic in (*self.topics, DEAD_LETTER_TOPIC):
            self._admin.create_topic(name=self._topic(topic))
            self.captured[topic] = []
            path = self._subscriber.subscription_path(self.project, f"capture.{topic}")
            self._subscriber.create_subscription(name=path, topic=self._topic(topic))
        self._capturing = [self._capture(topic) for topic in self.captured]

    async def publish(self, topic: str, data: bytes, attributes: dict[str, str]) -> None:
        await self.publisher.publish(topic, data, attributes)

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(30):
            while not condition():
                await asyncio.sleep(0.02)

    def on(self, topic: str) -> list[Captured]:
        return self.captured[topic]

    async def close(self) -> None:
        for future in self._capturing:
            future.cancel()
            await asyncio.to_thread(lambda f=future: f.exception(timeout=5))
        await self.publisher.__aexit__()
        await asyncio.to_thread(self._subscriber.close)
        await asyncio.to_thread(self._admin.stop)
        self._admin.transport.close()

    def create(self, subscription: Subscription, push_endpoint: str | None) -> None:
        """The subscription as provisioning makes it, with push settings when there is an endpoint."""
        push = {}
        if push_endpoint:
            push = {
                "push_endpoint": f"{push_endpoint}/events/{subscription.name}",
                "oidc_token": {"service_account_email": PUSH_ACCOUNT, "audience": push_endpoint},
            }
        self._subscriber.create_subscription(
            request={
                "name": self._subscriber.subscription_path(self.project, subscription.name),
                "topic": self._topic(subscription.event.topic()),
                "filter": subscription.filter,
                "ack_deadline_seconds": subscription.ack_deadline_s,
                "push_config": push,
                "retry_policy": {
                    "minimum_backoff": Duration(nanos=int(subscription.retry.min_backoff_s * 1e9)),
                    "maximum_backoff": Duration(nanos=int(subscription.retry.max_backoff_s * 1e9)),
                },
                "dead_letter_policy": {
                    "dead_letter_topic": self._topic(DEAD_LETTER_TOPIC),
                    "max_delivery_attempts": subscription.retry.max_deliveries,
                },
            }
        )

    def _topic(self, topic: str) -> str:
        return f"projects/{self.project}/topics/{topic}"

    def _capture(self, topic: str):
        path = self._subscriber.subscription_path(self.project, f"capture.{topic}")

        def keep(message) -> None:
            self.captured[topic].append(Captured(message.data, dict(message.attributes)))
            message.ack()

        return self._subscriber.subscribe(path, keep)


@asynccontextmanager
async def pulling(harness: EmulatorHarness, consumed: Sequence[Runtime]) -> AsyncGenerator[None, None]:
    """Streaming pull, as on one machine."""
    for runtime in consumed:
        harness.create(runtime.subscription, None)
    async with Consumer(harness.project, consumed).running():
        yield


@asynccontextmanager
async def pushed(harness: EmulatorHarness, consumed: Sequence[Runtime]) -> AsyncGenerator[None, None]:
    """Push requests into a real server, their tokens verified, as on Cloud Run."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        endpoint = f"http://127.0.0.1:{listener.getsockname()[1]}"
        identity = PushIdentity(audience=endpoint, service_account=PUSH_ACCOUNT, jwks_url=harness.jwks_url)
        app = create_app(Service.ANALYZER, routers=Consumer(harness.project, consumed, identity).routers)
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off"))
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        while not server.started:
            await asyncio.sleep(0.01)
        for runtime in consumed:
            harness.create(runtime.subscription, endpoint)
        yield
        server.should_exit = True
        await serving
