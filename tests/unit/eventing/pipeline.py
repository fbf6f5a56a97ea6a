"""A small pipeline for tests of the runtime: one stage whose behaviour each test sets, over memory or a real broker."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from contracts.artifacts import Service, StoredEvent
from contracts.events import MediaAnalyzedV1, MediaProcessedV1
from contracts.golden import EXAMPLES
from contracts.topology import Retry, Subscription, subscription
from eventing import codec
from eventing.consumer import runtimes
from eventing.handlers import Outcome, Stage, StageInputs
from eventing.publisher import Publisher
from eventing.runtime import Runtime
from objectstore.store import ObjectStore

ARTIFACTS = "mmsearch-artifacts"
PROCESSED = next(e for e in EXAMPLES if isinstance(e, MediaProcessedV1))
ANALYZED = next(e for e in EXAMPLES if isinstance(e, MediaAnalyzedV1))
SUBSCRIPTION = subscription(Service.ANALYZER, MediaProcessedV1)

Behaviour = Callable[[MediaProcessedV1, StageInputs], Awaitable[Outcome]]


async def analyze(event: MediaProcessedV1, inputs: StageInputs) -> Outcome:
    """The well-behaved stage: one artifact, one event that refers to it."""
    artifact = inputs.artifact("analysis.json", "application/json", f"analysis of {event.filename}".encode())
    analyzed = ANALYZED.model_copy(update={"upload": event.upload, "analysis": artifact.ref})
    return Outcome(artifacts=[artifact], events=[analyzed])


@dataclass
class Probe:
    """Counts calls of a stage and does what the test asks for, by call number."""

    behaviour: Behaviour = analyze
    calls: list[MediaProcessedV1] = field(default_factory=list[MediaProcessedV1])

    async def __call__(self, event: MediaProcessedV1, inputs: StageInputs) -> Outcome:
        self.calls.append(event)
        return await self.behaviour(event, inputs)


def stage(probe: Probe, version: str = "1") -> Stage[MediaProcessedV1]:
    return Stage(Service.ANALYZER, version, MediaProcessedV1, lambda event: event.upload, probe)


def runtime(
    probe: Probe,
    publisher: Publisher,
    store: ObjectStore,
    *,
    version: str = "1",
    changed: Callable[[Subscription], Subscription] = lambda s: s,
) -> Runtime:
    built = runtimes([stage(probe, version)], publisher, store, ARTIFACTS)[0]
    built.subscription = changed(built.subscription)
    return built


def quick(s: Subscription) -> Subscription:
    """The same subscription with backoff fit for a test."""
    return replace(s, retry=Retry(0.1, 0.5, s.retry.max_deliveries), ack_deadline_s=10)


def message(number: int = 1, event_id: str | None = None) -> StoredEvent:
    """An input message; each number is another upload."""
    upload = PROCESSED.upload.model_copy(update={"generation": PROCESSED.upload.generation + number})
    return codec.encode(
        PROCESSED.model_copy(update={"upload": upload, "filename": f"file {number}.jpg"}),
        event_id=event_id or f"event-{number}",
        source=Service.MEDIA_PROCESSOR,
        time=datetime(2026, 11, 21, tzinfo=UTC),
        trace={"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"},
    )
