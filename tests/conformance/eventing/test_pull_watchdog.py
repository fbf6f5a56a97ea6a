"""The pull door notices a stream that has ended and opens it again: broker restarts, a subscription made anew."""

import asyncio
from collections.abc import Callable

import pytest

from contracts.events import MediaAnalyzedV1, MediaProcessedV1
from eventing.consumer import Consumer
from objectstore.testing import MemoryObjectStore
from tests.conformance.eventing.harness import EmulatorHarness
from tests.conformance.pubsub_emulator.emulator_process import EmulatorProcess
from tests.unit.eventing.pipeline import SUBSCRIPTION, Probe, message, quick, runtime

INPUT, OUTPUT = MediaProcessedV1.topic(), MediaAnalyzedV1.topic()


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.05)


async def test_a_killed_broker_is_followed_to_its_new_life(
    own_broker: EmulatorProcess, own_harness: EmulatorHarness
) -> None:
    probe = Probe()
    consumed = [runtime(probe, own_harness.publisher, MemoryObjectStore(), changed=quick)]
    own_harness.create(consumed[0].subscription, None)
    async with Consumer(own_harness.project, consumed).running():
        await own_harness.publish(INPUT, message(1).data.encode(), message(1).attributes)
        await _until(lambda: len(probe.calls) >= 1)
        await asyncio.to_thread(own_broker.kill)
        await asyncio.to_thread(own_broker.start)
        await own_harness.publish(INPUT, message(2).data.encode(), message(2).attributes)
        await _until(lambda: {event.filename for event in probe.calls} == {"file 1.jpg", "file 2.jpg"})


async def test_readiness_names_a_subscription_that_is_not_there_until_it_is(own_harness: EmulatorHarness) -> None:
    probe = Probe()
    consumed = [runtime(probe, own_harness.publisher, MemoryObjectStore(), changed=quick)]
    consumer = Consumer(own_harness.project, consumed)
    check = consumer.checks["pubsub"]
    async with consumer.running():
        await _until(lambda: _refuses(check))
        with pytest.raises(ConnectionError, match=SUBSCRIPTION.name):
            await check()
        own_harness.create(consumed[0].subscription, None)
        await own_harness.publish(INPUT, message(1).data.encode(), message(1).attributes)
        await _until(lambda: len(probe.calls) == 1)
        await check()


def _refuses(check: Callable[[], object]) -> bool:
    coroutine = check()
    try:
        coroutine.send(None)  # type: ignore[attr-defined]
    except ConnectionError:
        return True
    except StopIteration:
        return False
    return False
