"""Who hears what, declared once: buckets, topics, subscriptions, deadlines, retries and dead letters.

Provisioning, Terraform variables, AsyncAPI and the README table are all rendered from this page.
"""

from dataclasses import dataclass, field

from contracts.artifacts import Service
from contracts.envelope import EventData
from contracts.events import (
    DeadLetterV1,
    MediaAnalyzedV1,
    MediaEmbeddedV1,
    MediaFailedV1,
    MediaIndexedV1,
    MediaProcessedV1,
    ObjectDeletedV1,
    ObjectFinalizedV1,
    UploadDeletedV1,
    UploadReembedV1,
    UploadReprocessV1,
    UserChangedV1,
)

DEAD_LETTER_TOPIC = DeadLetterV1.topic()
DEAD_LETTER_SOURCE = "CloudPubSubDeadLetterSourceSubscription"
"""The attribute Pub/Sub sets on a dead letter; holding subscriptions filter on it."""


@dataclass(frozen=True)
class Retry:
    """How a failed delivery is tried again; backoff in seconds."""

    min_backoff_s: float = 10
    max_backoff_s: float = 600
    max_deliveries: int = 5


@dataclass(frozen=True)
class Subscription:
    """One service's ear on one event.

    ``ack_deadline_s`` is also the push request's timeout; ``handler_deadline_s`` ends the work before it.
    ``concurrency`` is how many messages one instance works on at a time.
    """

    service: Service
    event: type[EventData]
    ack_deadline_s: int = 60
    concurrency: int = 8
    filter: str = ""
    retry: Retry = field(default_factory=Retry)

    @property
    def name(self) -> str:
        """``analyzer.media.processed.v1``."""
        return f"{self.service.value}.{self.event.topic()}"

    @property
    def handler_deadline_s(self) -> float:
        """Seconds a handler may take: a little less than the ack deadline, so that the answer still arrives."""
        return self.ack_deadline_s * 0.9

    @property
    def has_dead_letters(self) -> bool:
        """False for the one that reads dead letters: it tries for ever instead of feeding itself."""
        return self.event is not DeadLetterV1

    @property
    def dead_letter_hold(self) -> str:
        """The subscription that keeps this one's dead letters until someone looks at them."""
        return f"{self.name}.dead"

    @property
    def dead_letter_filter(self) -> str:
        """Picks this subscription's dead letters out of the dead-letter topic."""
        return f'attributes.{DEAD_LETTER_SOURCE} = "{self.name}"'


@dataclass(frozen=True)
class ObjectNotification:
    """Cloud Storage tells a topic about one type of event in the uploads bucket."""

    event_type: str
    event: type[EventData]


def _reprocess(service: Service, ack_deadline_s: int, concurrency: int) -> Subscription:
    return Subscription(
        service,
        UploadReprocessV1,
        ack_deadline_s,
        concurrency,
        filter=f'attributes."ce-fromstage" = "{service.value}"',
    )


NOTIFICATIONS: tuple[ObjectNotification, ...] = (
    ObjectNotification("OBJECT_FINALIZE", ObjectFinalizedV1),
    ObjectNotification("OBJECT_DELETE", ObjectDeletedV1),
)

SUBSCRIPTIONS: tuple[Subscription, ...] = (
    Subscription(Service.MEDIA_PROCESSOR, ObjectFinalizedV1, ack_deadline_s=600, concurrency=2),
    _reprocess(Service.MEDIA_PROCESSOR, ack_deadline_s=600, concurrency=1),
    Subscription(Service.MEDIA_PROCESSOR, UploadDeletedV1),
    Subscription(Service.ANALYZER, MediaProcessedV1, ack_deadline_s=600, concurrency=4),
    _reprocess(Service.ANALYZER, ack_deadline_s=600, concurrency=1),
    Subscription(Service.EMBEDDER, MediaAnalyzedV1, ack_deadline_s=300, concurrency=4),
    _reprocess(Service.EMBEDDER, ack_deadline_s=300, concurrency=1),
    Subscription(Service.EMBEDDER, UploadReembedV1, ack_deadline_s=300, concurrency=2),
    Subscription(Service.SEARCH, ObjectFinalizedV1),
    Subscription(Service.SEARCH, MediaProcessedV1),
    Subscription(Service.SEARCH, MediaAnalyzedV1),
    Subscription(Service.SEARCH, MediaEmbeddedV1, ack_deadline_s=300),
    Subscription(Service.SEARCH, MediaFailedV1),
    Subscription(Service.SEARCH, UploadDeletedV1),
    Subscription(Service.SEARCH, UserChangedV1),
    Subscription(Service.UPLOAD_GATEWAY, ObjectFinalizedV1),
    Subscription(Service.UPLOAD_GATEWAY, ObjectDeletedV1),
    Subscription(Service.UPLOAD_GATEWAY, MediaProcessedV1),
    Subscription(Service.UPLOAD_GATEWAY, MediaAnalyzedV1),
    Subscription(Service.UPLOAD_GATEWAY, MediaEmbeddedV1),
    Subscription(Service.UPLOAD_GATEWAY, MediaIndexedV1),
    Subscription(Service.UPLOAD_GATEWAY, MediaFailedV1),
    Subscription(Service.UPLOAD_GATEWAY, DeadLetterV1),
)


def topics() -> tuple[str, ...]:
    """Every topic."""
    named = {s.event.topic() for s in SUBSCRIPTIONS} | {n.event.topic() for n in NOTIFICATIONS}
    return tuple(sorted(named))


def subscriptions_of(service: Service) -> tuple[Subscription, ...]:
    """The subscriptions one service consumes, without the dead-letter watch."""
    return tuple(s for s in SUBSCRIPTIONS if s.service is service)


def subscription(service: Service, event: type[EventData]) -> Subscription:
    """The one subscription of a service on an event; raises ``LookupError`` when the topology has none."""
    for candidate in SUBSCRIPTIONS:
        if candidate.service is service and candidate.event is event:
            return candidate
    raise LookupError(f"{service.value} does not subscribe to {event.topic()}")


def subscription_named(name: str) -> Subscription | None:
    """The subscription of that name, or None."""
    return next((candidate for candidate in SUBSCRIPTIONS if candidate.name == name), None)
