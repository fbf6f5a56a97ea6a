"""What every door promises: the runtime's verdicts become acks, retries and dead letters the same way everywhere."""

import json

import pytest

from contracts.artifacts import FailureCode
from contracts.events import MediaAnalyzedV1, MediaFailedV1, MediaProcessedV1
from contracts.topology import DEAD_LETTER_SOURCE, DEAD_LETTER_TOPIC
from eventing import codec
from eventing.errors import Reject, RetryLater
from eventing.handlers import Outcome, StageInputs
from eventing.publisher import MessageRefusedError
from objectstore.testing import MemoryObjectStore
from tests.conformance.eventing.harness import Harness
from tests.unit.eventing.pipeline import SUBSCRIPTION, Probe, analyze, message, quick, runtime

INPUT, OUTPUT, FAILED = MediaProcessedV1.topic(), MediaAnalyzedV1.topic(), MediaFailedV1.topic()


async def _send(harness: Harness, number: int, data: bytes | None = None) -> None:
    stored = message(number)
    await harness.publish(INPUT, stored.data.encode() if data is None else data, stored.attributes)


async def test_a_message_is_handled_and_its_events_announced(harness: Harness) -> None:
    probe = Probe()
    await harness.serve([runtime(probe, harness.publisher, MemoryObjectStore(), changed=quick)])
    for number in range(5):
        await _send(harness, number)
    await harness.until(lambda: len(harness.on(OUTPUT)) == 5)
    assert sorted(event.filename for event in probe.calls) == [f"file {n}.jpg" for n in range(5)]


async def test_the_trace_of_the_event_is_continued_in_what_it_causes(harness: Harness) -> None:
    await harness.serve([runtime(Probe(), harness.publisher, MemoryObjectStore(), changed=quick)])
    await _send(harness, 1)
    await harness.until(lambda: len(harness.on(OUTPUT)) == 1)
    trace_id = message(1).attributes["traceparent"].split("-")[1]
    assert harness.on(OUTPUT)[0].attributes["traceparent"].split("-")[1] == trace_id


async def test_the_same_message_again_is_announced_again_but_not_computed(harness: Harness) -> None:
    probe = Probe()
    await harness.serve([runtime(probe, harness.publisher, MemoryObjectStore(), changed=quick)])
    await _send(harness, 1)
    await harness.until(lambda: len(harness.on(OUTPUT)) == 1)
    await _send(harness, 1)
    await harness.until(lambda: len(harness.on(OUTPUT)) == 2)
    assert len(probe.calls) == 1
    assert harness.on(OUTPUT)[0] == harness.on(OUTPUT)[1]


async def test_what_fails_once_is_delivered_again(harness: Harness) -> None:
    async def second_time_lucky(event: MediaProcessedV1, inputs: StageInputs) -> Outcome:
        if len(probe.calls) == 1:
            raise RetryLater(FailureCode.NETWORK, "not yet")
        return await analyze(event, inputs)

    probe = Probe(second_time_lucky)
    await harness.serve([runtime(probe, harness.publisher, MemoryObjectStore(), changed=quick)])
    await _send(harness, 1)
    await harness.until(lambda: len(harness.on(OUTPUT)) == 1)
    assert len(probe.calls) == 2


async def test_what_fails_for_ever_ends_in_the_dead_letter_and_delays_nobody(harness: Harness) -> None:
    async def fail_one(event: MediaProcessedV1, inputs: StageInputs) -> Outcome:
        if event.filename == "file 1.jpg":
            raise ValueError("a defect")
        return await analyze(event, inputs)

    await harness.serve([runtime(Probe(fail_one), harness.publisher, MemoryObjectStore(), changed=quick)])
    for number in range(4):
        await _send(harness, number)
    await harness.until(lambda: len(harness.on(DEAD_LETTER_TOPIC)) == 1 and len(harness.on(OUTPUT)) == 3)
    letter = harness.on(DEAD_LETTER_TOPIC)[0]
    assert letter.attributes[codec.DEAD_LETTER_REASON] == "ValueError: a defect"
    assert letter.attributes[DEAD_LETTER_SOURCE] == SUBSCRIPTION.name


async def test_what_the_broker_will_never_take_is_refused(harness: Harness) -> None:
    with pytest.raises(MessageRefusedError):
        await harness.publisher.publish(SUBSCRIPTION.event.topic(), b"x", {"long": "x" * 1025})


async def test_poison_goes_to_the_dead_letter_with_the_reason(harness: Harness) -> None:
    probe = Probe()
    await harness.serve([runtime(probe, harness.publisher, MemoryObjectStore(), changed=quick)])
    await _send(harness, 1, b"not json")
    await _send(harness, 2)
    await harness.until(lambda: len(harness.on(DEAD_LETTER_TOPIC)) == 1 and len(harness.on(OUTPUT)) == 1)
    assert "Invalid JSON" in harness.on(DEAD_LETTER_TOPIC)[0].attributes[codec.DEAD_LETTER_REASON]
    assert len(probe.calls) == 1


async def test_a_refusal_is_announced_once_and_not_retried(harness: Harness) -> None:
    async def refuse_one(event: MediaProcessedV1, inputs: StageInputs) -> Outcome:
        if event.filename == "file 1.jpg":
            raise Reject(FailureCode.CORRUPT, "It ends in the middle.")
        if len(probe.calls) == 2:
            raise RetryLater(FailureCode.NETWORK, "not yet")
        return await analyze(event, inputs)

    probe = Probe(refuse_one)
    await harness.serve([runtime(probe, harness.publisher, MemoryObjectStore(), changed=quick)])
    await _send(harness, 1)
    await harness.until(lambda: len(harness.on(FAILED)) == 1)
    # Were the first one delivered again, then before the second, whose pause begins later.
    await _send(harness, 2)
    await harness.until(lambda: len(harness.on(OUTPUT)) == 1)
    assert json.loads(harness.on(FAILED)[0].data)["message"] == "It ends in the middle."
    assert [event.filename for event in probe.calls] == ["file 1.jpg", "file 2.jpg", "file 2.jpg"]
    assert len(harness.on(FAILED)) == 1
    assert harness.on(DEAD_LETTER_TOPIC) == []
