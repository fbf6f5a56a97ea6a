"""Announcements on disk into Pub/Sub messages, through the official publisher client, for as long as it
takes until the broker has them."""

import asyncio
import logging
import time
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress

import grpc.aio
from google.pubsub_v1 import PublisherAsyncClient
from google.pubsub_v1.services.publisher.transports import PublisherGrpcAsyncIOTransport
from google.pubsub_v1.types import PubsubMessage

from localcloud.storage.outbox import Announcement, Outbox

logger = logging.getLogger(__name__)

# Google's Publish takes 1000 messages and 10 MB; resources with 8 KiB of metadata stay far below with this.
_BATCH = 200
_FIRST_DELAY_SECONDS = 0.1
_LONGEST_DELAY_SECONDS = 10.0
_PUBLISH_TIMEOUT_SECONDS = 10.0


class Relay:
    """Publishes whatever the outbox holds; a topic that fails waits alone, the others go on."""

    def __init__(self, outbox: Outbox, broker: str) -> None:
        self._outbox = outbox
        self._broker = broker
        self._wake = asyncio.Event()
        self._client: PublisherAsyncClient | None = None
        self._delays: dict[str, float] = {}
        self._retry_at: dict[str, float] = {}

    async def run(self) -> None:
        """Relay until cancelled."""
        loop = asyncio.get_running_loop()
        self._outbox.listener = lambda: loop.call_soon_threadsafe(self._wake.set)
        self._wake.set()
        try:
            while True:
                await self._wait()
                await self._relay_all()
        finally:
            self._outbox.listener = lambda: None
            if self._client is not None:
                await self._client.transport.close()

    async def _wait(self) -> None:
        soonest = min(self._retry_at.values(), default=None)
        timeout = None if soonest is None else max(0.0, soonest - time.monotonic())
        with suppress(TimeoutError):
            await asyncio.wait_for(self._wake.wait(), timeout)

    async def _relay_all(self) -> None:
        while True:
            # Cleared before looking: what is written from here on wakes us again.
            self._wake.clear()
            now = time.monotonic()
            self._retry_at = {topic: at for topic, at in self._retry_at.items() if at > now}
            waiting = list(self._retry_at)
            batch = await asyncio.to_thread(self._outbox.pending, _BATCH, except_topics=waiting)
            if not batch:
                return
            by_topic: defaultdict[str, list[Announcement]] = defaultdict(list)
            for announcement in batch:
                by_topic[announcement.topic].append(announcement)
            await asyncio.gather(*(self._relay(topic, some) for topic, some in by_topic.items()))

    async def _relay(self, topic: str, announcements: Sequence[Announcement]) -> None:
        try:
            await self._publish(topic, announcements)
        except Exception as error:
            # Whatever it is, the messages stay on disk and are tried again.
            delay = min(2 * self._delays.get(topic, _FIRST_DELAY_SECONDS / 2), _LONGEST_DELAY_SECONDS)
            self._delays[topic] = delay
            self._retry_at[topic] = time.monotonic() + delay
            logger.warning("notifications for %s wait %.1f s: %s", topic, delay, error)
            return
        self._delays.pop(topic, None)
        await asyncio.to_thread(self._outbox.remove, [announcement.number for announcement in announcements])

    async def _publish(self, topic: str, announcements: Sequence[Announcement]) -> None:
        messages = [PubsubMessage(data=some.data, attributes=some.attributes) for some in announcements]
        if self._client is None:
            # The default waits up to two minutes before it looks for a broker that is back.
            options = [("grpc.max_reconnect_backoff_ms", 1000), ("grpc.initial_reconnect_backoff_ms", 100)]
            channel = grpc.aio.insecure_channel(self._broker, options=options)
            self._client = PublisherAsyncClient(transport=PublisherGrpcAsyncIOTransport(channel=channel))
        await self._client.publish(topic=topic, messages=messages, retry=None, timeout=_PUBLISH_TIMEOUT_SECONDS)
