"""Announces stored events on their topics through the official client; returns only when the broker has them."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Protocol, Self

from google.api_core.exceptions import DeadlineExceeded, InternalServerError, InvalidArgument, ServiceUnavailable
from google.api_core.retry import AsyncRetry, if_exception_type
from google.pubsub_v1.services.publisher import PublisherAsyncClient
from google.pubsub_v1.types import PubsubMessage

from contracts.artifacts import StoredEvent
from telemetry import spans

_TIMEOUT_S = 10.0
_RETRY = AsyncRetry(
    predicate=if_exception_type(ServiceUnavailable, DeadlineExceeded, InternalServerError),
    initial=0.1,
    maximum=2.0,
    timeout=_TIMEOUT_S,
)


class BrokerUnavailableError(ConnectionError):
    """The broker could not be reached within the time allowed; nothing is known to be published."""


class MessageRefusedError(ValueError):
    """The broker will never take this message: an attribute is too long, or all of it."""


class Publisher(Protocol):
    """The port the runtime and the relay publish through."""

    async def publish(self, topic: str, data: bytes, attributes: Mapping[str, str]) -> None:
        """Returns when the broker has taken the message. Raises ``BrokerUnavailableError``, ``MessageRefusedError``."""
        ...


async def announce(publisher: Publisher, events: Sequence[StoredEvent]) -> None:
    """Publishes stored events exactly as they are: the same ids every time."""
    await asyncio.gather(*(publisher.publish(e.topic, e.data.encode(), e.attributes) for e in events))


class PubSubPublisher:
    """A :class:`Publisher` over ``google-cloud-pubsub``."""

    def __init__(self, project: str) -> None:
        self._project = project
        self._connected: PublisherAsyncClient | None = None

    @property
    def _client(self) -> PublisherAsyncClient:
        """Made at first use, because its channel belongs to the event loop it is made in."""
        if self._connected is None:
            self._connected = PublisherAsyncClient()
        return self._connected

    async def publish(self, topic: str, data: bytes, attributes: Mapping[str, str]) -> None:
        """See :meth:`Publisher.publish`."""
        try:
            with spans.sending(topic) as span:
                answer = await self._client.publish(
                    topic=f"projects/{self._project}/topics/{topic}",
                    messages=[PubsubMessage(data=data, attributes=dict(attributes))],
                    retry=_RETRY,
                    timeout=_TIMEOUT_S,
                )
                span.set_attribute("messaging.message.id", answer.message_ids[0])
        except (ServiceUnavailable, DeadlineExceeded, InternalServerError) as error:
            raise BrokerUnavailableError(str(error)) from error
        except InvalidArgument as error:
            raise MessageRefusedError(str(error)) from error
        except Exception as error:
            if type(error).__name__ == "RetryError":
                raise BrokerUnavailableError(str(error)) from error
            raise

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        """Closes the channel."""
        if self._connected is not None:
            await self._connected.transport.close()
