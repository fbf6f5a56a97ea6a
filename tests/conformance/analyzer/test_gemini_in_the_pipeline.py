"""The stage with Gemini under the real runtime: nothing is paid twice, pauses cost no attempt, outages are seen."""

import asyncio
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest
from google import genai
from google.genai.types import HttpOptions

from analyzer.backends.gemini.backend import GeminiBackend
from analyzer.backends.gemini.model import GeminiModel
from analyzer.handlers import on_media_processed
from contracts.artifacts import Service
from contracts.events import MediaAnalyzedV1, MediaProcessedV1
from contracts.topology import DEAD_LETTER_TOPIC
from eventing import codec
from eventing.consumer import runtimes
from eventing.inputs import StoreInputs
from eventing.testing import MemoryBroker
from objectstore.store import StoredObject, StoreUnavailableError
from objectstore.testing import MemoryObjectStore
from providers.breaker import CircuitBreaker
from providers.budget import DailyBudget
from providers.gate import ProviderGate
from tests.conformance.analyzer.conftest import PRICE
from tests.conformance.analyzer.gemini_server import GeminiServer, Reply, answer, refusal, whole
from tests.conformance.analyzer.material import document, processed, words

ANALYZED = MediaAnalyzedV1.topic()


class FlakyStore(MemoryObjectStore):
    """Loses ``failures`` writes of an analysis."""

    failures = 0

    async def put(
        self, bucket: str, key: str, content: bytes | Path, media_type: str, metadata: Mapping[str, str] | None = None
    ) -> StoredObject:
        if key.endswith("analysis.json") and self.failures:
            self.failures -= 1
            raise StoreUnavailableError("gone for a moment")
        return await super().put(bucket, key, content, media_type, metadata)


class RefusingBudget(DailyBudget):
    """Counts how often it held a call back."""

    refusals = 0

    def wait_s(self) -> float:
        pause = super().wait_s()
        self.refusals += pause > 0
        return pause


class Stage:
    """The analyzer's stage on a broker in memory, and a processed file to send it."""

    def __init__(self, backend: GeminiBackend) -> None:
        self.store = FlakyStore()
        self.broker = MemoryBroker()
        self.broker.attach(runtimes([on_media_processed.stage(backend)], self.broker, self.store, "artifacts"))

    async def send(self, event_id: str, said: str = "Hello.") -> None:
        inputs = StoreInputs(self.store, "artifacts", f"{event_id}/")
        material = inputs.model_artifact("material.json", document(words(said)))
        if not [p for p in self.broker.published if p.attributes["ce-id"] == event_id]:
            await self.store.put("artifacts", material.ref.key, material.content, material.ref.media_type)
        event: MediaProcessedV1 = processed(material.ref)
        message = codec.encode(
            event, event_id=event_id, source=Service.MEDIA_PROCESSOR, time=datetime.now(UTC), trace={}
        )
        await self.broker.publish(message.topic, message.data.encode(), message.attributes)


@pytest.fixture
def stage(backend: GeminiBackend) -> Stage:
    return Stage(backend)


async def test_a_redelivery_announces_the_same_event_and_pays_nothing(server: GeminiServer, stage: Stage) -> None:
    await stage.send("one")
    await stage.broker.drain()
    await stage.send("one")
    await stage.broker.drain()
    first, second = stage.broker.on(ANALYZED)
    assert first == second
    assert len(server.requests) == 1


async def test_a_result_that_could_not_be_stored_is_not_paid_for_again(server: GeminiServer, stage: Stage) -> None:
    stage.store.failures = 2
    await stage.send("one")
    await stage.broker.drain()
    assert len(stage.broker.on(ANALYZED)) == 1
    assert len(server.requests) == 1


async def test_while_the_budget_is_spent_the_message_waits_and_then_goes_on(server: GeminiServer) -> None:
    now = [datetime(2026, 11, 21, 23, 59, tzinfo=UTC)]
    budget = RefusingBudget(0.001, now=lambda: now[0])
    gate = ProviderGate("test", budget=budget)
    client = genai.Client(vertexai=False, api_key="k", http_options=HttpOptions(base_url=server.url))
    async with GeminiModel(client, "m", gate, PRICE) as model:
        stage = Stage(GeminiBackend(model))
        await stage.send("one", "One.")
        await stage.send("two", "Two.")
        draining = asyncio.create_task(stage.broker.drain())
        async with asyncio.timeout(30):
            while budget.refusals < 2 and len(server.requests) < 2:
                await asyncio.sleep(0.01)
        assert len(server.requests) == 1, "the second waits"
        now[0] = datetime(2026, 11, 22, tzinfo=UTC)
        await draining
    assert len(stage.broker.on(ANALYZED)) == 2
    assert stage.broker.on(DEAD_LETTER_TOPIC) == []


async def test_an_outage_over_all_deliveries_ends_in_a_dead_letter_with_its_code(server: GeminiServer) -> None:
    gate = ProviderGate("test", breaker=CircuitBreaker(time.monotonic, failures=6))
    client = genai.Client(vertexai=False, api_key="k", http_options=HttpOptions(base_url=server.url))
    server.replies = [refusal(503)]
    async with GeminiModel(client, "m", gate, PRICE) as model:
        stage = Stage(GeminiBackend(model))
        await stage.send("one")
        await stage.broker.drain()
    [dead] = stage.broker.on(DEAD_LETTER_TOPIC)
    assert "network" in str(dead.attributes)
    assert len(server.requests) == 5


@pytest.mark.parametrize(
    "trouble",
    [[refusal(401)] * 6, [refusal(429, retry_after="15")] * 6, [refusal(503)] * 11],
    ids=["key", "quota", "outage"],
)
async def test_what_opens_the_circuit_is_waited_out_and_uses_no_attempt(
    server: GeminiServer, trouble: list[Reply]
) -> None:
    now = [0.0]
    gate = ProviderGate("test", breaker=CircuitBreaker(lambda: now[0]))
    client = genai.Client(vertexai=False, api_key="k", http_options=HttpOptions(base_url=server.url))
    server.replies = [*trouble, Reply(body=answer(whole()))]
    async with GeminiModel(client, "m", gate, PRICE) as model:
        stage = Stage(GeminiBackend(model))
        await stage.send("one")
        draining = asyncio.create_task(stage.broker.drain())
        async with asyncio.timeout(60):
            while not draining.done():
                now[0] += 61
                await asyncio.sleep(0.01)
        await draining
    assert len(stage.broker.on(ANALYZED)) == 1
    assert stage.broker.on(DEAD_LETTER_TOPIC) == []
