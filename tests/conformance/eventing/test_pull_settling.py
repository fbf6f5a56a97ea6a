"""What is settled while the pull door closes is told to the broker before it has closed."""

import asyncio

import httpx2

from contracts.events import MediaAnalyzedV1, MediaProcessedV1
from eventing.consumer import Consumer
from eventing.handlers import Outcome, StageInputs
from objectstore.testing import MemoryObjectStore
from tests.conformance.eventing.harness import EmulatorHarness
from tests.unit.eventing.pipeline import SUBSCRIPTION, Probe, analyze, message, quick, runtime

INPUT, OUTPUT = MediaProcessedV1.topic(), MediaAnalyzedV1.topic()


async def _not_acknowledged(own_harness: EmulatorHarness) -> int:
    async with httpx2.AsyncClient(trust_env=False) as http:
        shown = (await http.get(own_harness.jwks_url.replace("jwks.json", "metrics"))).text
    line = next(
        line for line in shown.splitlines() if f'num_undelivered_messages{{subscription="{SUBSCRIPTION.name}"}}' in line
    )
    return int(line.rpartition(" ")[2])


async def test_the_broker_has_every_ack_when_the_door_has_closed(own_harness: EmulatorHarness) -> None:
    begun = asyncio.Semaphore(0)

    async def slowly(event: MediaProcessedV1, inputs: StageInputs) -> Outcome:
        begun.release()
        await asyncio.sleep(0.3)
        return await analyze(event, inputs)

    probe = Probe(slowly)
    consumed = [runtime(probe, own_harness.publisher, MemoryObjectStore(), changed=quick)]
    own_harness.create(consumed[0].subscription, None)
    async with Consumer(own_harness.project, consumed).running():
        for number in (1, 2, 3):
            await own_harness.publish(INPUT, message(number).data.encode(), message(number).attributes)
        for _ in range(3):
            await begun.acquire()
        assert await _not_acknowledged(own_harness) == 3
    assert len(probe.calls) == 3
    assert await _not_acknowledged(own_harness) == 0
