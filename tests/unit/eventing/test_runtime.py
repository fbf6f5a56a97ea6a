"""The delivery guarantees of runtime.py, one test each, on the broker and store that ship with the libs."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from structlog.testing import capture_logs

from contracts.artifacts import FailureCode, StoredEvent, UploadRef, Usage
from contracts.events import MediaAnalyzedV1, MediaFailedV1, MediaProcessedV1
from contracts.identifiers import ownership
from contracts.topology import DEAD_LETTER_SOURCE, DEAD_LETTER_TOPIC
from database.outages import DatabaseTooSlowError
from eventing import codec
from eventing.codec import DEAD_LETTER_CODE
from eventing.delivery import Ack, Delivery, Nack
from eventing.errors import Discard, Poison, Reject, RetryLater
from eventing.handlers import Outcome, Purge, StageInputs
from eventing.publisher import BrokerUnavailableError, MessageRefusedError
from eventing.testing import MemoryBroker
from objectstore.store import StoreUnavailableError
from objectstore.testing import MemoryObjectStore
from tests.unit.eventing.pipeline import ARTIFACTS, SUBSCRIPTION, Probe, analyze, message, quick, runtime

OUTPUT = MediaAnalyzedV1.topic()


def delivery(stored: StoredEvent, attempt: int | None = 1) -> Delivery:
    return Delivery("1", stored.data.encode(), stored.attributes, datetime.now(UTC), attempt)


async def test_a_redelivery_recomputes_nothing_and_announces_the_same_ids() -> None:
    broker, store, probe = MemoryBroker(), MemoryObjectStore(), Probe()
    for _ in range(3):
        assert await runtime(probe, broker, store).process(delivery(message())) == Ack()
    announced = broker.on(OUTPUT)
    assert len(probe.calls) == 1
    assert len(announced) == 3
    assert announced[0] == announced[1] == announced[2]


async def test_a_crash_before_the_manifest_leaves_a_second_computation_unharmed() -> None:
    broker, store, probe = MemoryBroker(), MemoryObjectStore(), Probe()

    async def other_bytes(event: MediaProcessedV1, inputs: StageInputs) -> Outcome:
        return Outcome(artifacts=[inputs.artifact("analysis.json", "application/json", b"other bytes, then a crash")])

    first = runtime(Probe(other_bytes), broker, store)
    await first.process(delivery(message()))
    manifest = next(key for key in store.keys(ARTIFACTS) if key.endswith("manifest.json"))
    await store.delete(ARTIFACTS, manifest)

    assert await runtime(probe, broker, store).process(delivery(message())) == Ack()
    event = codec.decode(MediaAnalyzedV1, broker.on(OUTPUT)[0].data, broker.on(OUTPUT)[0].attributes).data
    assert await store.get(ARTIFACTS, event.analysis.key) == b"analysis of file 1.jpg"


async def test_two_workers_at_once_announce_one_result() -> None:
    broker, store = MemoryBroker(), MemoryObjectStore()
    meet = asyncio.Barrier(2)

    async def together(event: MediaProcessedV1, inputs: StageInputs) -> Outcome:
        await meet.wait()
        return await analyze(event, inputs)

    workers = [runtime(Probe(together), broker, store) for _ in range(2)]
    assert await asyncio.gather(*(w.process(delivery(message())) for w in workers)) == [Ack(), Ack()]
    assert broker.on(OUTPUT)[0] == broker.on(OUTPUT)[1]


async def test_a_new_stage_version_computes_again() -> None:
    broker, store, probe = MemoryBroker(), MemoryObjectStore(), Probe()
    await runtime(probe, broker, store, version="1").process(delivery(message()))
    await runtime(probe, broker, store, version="2").process(delivery(message()))
    ids = {published.attributes["ce-id"] for published in broker.on(OUTPUT)}
    assert len(probe.calls) == len(ids) == 2


async def test_a_refusal_is_announced_with_its_code_and_remembered() -> None:
    broker, store = MemoryBroker(), MemoryObjectStore()

    async def refuse(event: MediaProcessedV1, inputs: StageInputs) -> Outcome:
        raise Reject(FailureCode.ENCRYPTED, "The document needs a password.", usage=Usage(cost_usd=0.5))

    probe = Probe(refuse)
    for _ in range(2):
        assert await runtime(probe, broker, store).process(delivery(message())) == Ack()
    failed = broker.on(MediaFailedV1.topic())
    assert len(probe.calls) == 1
    assert failed[0] == failed[1]
    told = json.loads(failed[0].data)
    assert (told["code"], told["usage"]["cost_usd"]) == ("encrypted", 0.5)


async def test_later_is_a_nack_with_the_delay() -> None:
    async def later(event: MediaProcessedV1, inputs: StageInputs) -> Outcome:
        raise RetryLater(FailureCode.QUOTA_EXCEEDED, "busy", delay_s=42)

    broker = MemoryBroker()
    assert await runtime(Probe(later), broker, MemoryObjectStore()).process(delivery(message())) == Nack(42)
    assert broker.published == []


async def test_the_last_delivery_ends_in_the_dead_letter_with_reason_and_code() -> None:
    async def crash(event: MediaProcessedV1, inputs: StageInputs) -> Outcome:
        raise ZeroDivisionError("a defect")

    broker, store, probe = MemoryBroker(), MemoryObjectStore(), Probe(crash)
    broker.attach([runtime(probe, broker, store)])
    await broker.publish(SUBSCRIPTION.event.topic(), message().data.encode(), message().attributes)
    await broker.drain()
    letters = broker.on(DEAD_LETTER_TOPIC)
    assert len(probe.calls) == 5
    assert len(letters) == 1
    assert letters[0].attributes[codec.DEAD_LETTER_REASON] == "ZeroDivisionError: a defect"
    assert letters[0].attributes[codec.DEAD_LETTER_COUNT] == "5"
    assert letters[0].attributes[DEAD_LETTER_SOURCE] == SUBSCRIPTION.name
    assert letters[0].attributes["ce-id"] == "event-1"


@pytest.mark.parametrize("data", [b"not json", b"\xff\x00", b"[]"])
async def test_what_is_not_an_event_goes_to_the_dead_letter_at_once(data: bytes) -> None:
    broker, probe = MemoryBroker(), Probe()
    poison = Delivery("1", data, message().attributes, datetime.now(UTC), 1)
    assert await runtime(probe, broker, MemoryObjectStore()).process(poison) == Ack()
    assert broker.on(DEAD_LETTER_TOPIC)[0].data == data
    assert probe.calls == []


class Refusing(MemoryBroker):
    """Takes no dead letters."""

    async def publish(self, topic: str, data: bytes, attributes: Mapping[str, str]) -> None:
        if topic == DEAD_LETTER_TOPIC:
            raise MessageRefusedError("too long")
        await super().publish(topic, data, attributes)


async def test_a_dead_letter_that_the_broker_refuses_is_left_to_the_broker() -> None:
    poison = Delivery("1", b"not json", message().attributes, datetime.now(UTC), 1)
    assert await runtime(Probe(), Refusing(), MemoryObjectStore()).process(poison) == Nack()


@pytest.mark.parametrize("altered", [b"something else", b"x" * 100_000])
async def test_a_missing_or_altered_artifact_is_poison(altered: bytes) -> None:
    async def read(event: MediaProcessedV1, inputs: StageInputs) -> Outcome:
        await inputs.read(event.material)
        return Outcome()

    broker, store = MemoryBroker(), MemoryObjectStore()
    consumer = runtime(Probe(read), broker, store)
    assert await consumer.process(delivery(message())) == Ack()
    material = codec.decode(MediaProcessedV1, message().data.encode(), message().attributes).data.material
    await store.put(material.bucket, material.key, altered, material.media_type)
    assert await consumer.process(delivery(message())) == Ack()
    reasons = [letter.attributes[codec.DEAD_LETTER_REASON] for letter in broker.on(DEAD_LETTER_TOPIC)]
    assert "is not there" in reasons[0]
    assert "is not what was announced" in reasons[1]


async def test_nothing_left_to_do_is_an_ack_without_a_trace_of_failure() -> None:
    async def gone(event: MediaProcessedV1, inputs: StageInputs) -> Outcome:
        raise Discard("overwritten meanwhile")

    broker = MemoryBroker()
    assert await runtime(Probe(gone), broker, MemoryObjectStore()).process(delivery(message())) == Ack()
    assert broker.published == []


async def test_an_outage_is_waited_out_without_using_an_attempt() -> None:
    broker, store, probe = MemoryBroker(), MemoryObjectStore(), Probe()
    outages = iter([StoreUnavailableError("down"), StoreUnavailableError("still down")])

    async def until_it_works(event: MediaProcessedV1, inputs: StageInputs) -> Outcome:
        for outage in outages:
            raise outage
        return await analyze(event, inputs)

    probe.behaviour = until_it_works
    assert await runtime(probe, broker, store).process(delivery(message(), attempt=5)) == Ack()
    assert len(probe.calls) == 3


async def test_waiting_is_logged_now_and_then_not_at_each_try(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("eventing.runtime._FIRST_PAUSE_S", 0.0)

    async def until_it_works(event: MediaProcessedV1, inputs: StageInputs) -> Outcome:
        if len(probe.calls) < 20:
            raise StoreUnavailableError("down")
        return await analyze(event, inputs)

    probe = Probe(until_it_works)
    with capture_logs() as lines:
        assert await runtime(probe, MemoryBroker(), MemoryObjectStore()).process(delivery(message())) == Ack()
    assert [line["reason"] for line in lines if line["event"] == "waiting for a dependency"] == [
        "StoreUnavailableError: down"
    ]


async def test_waiting_for_a_dependency_may_outlast_the_handlers_deadline() -> None:
    async def paused_twice(event: MediaProcessedV1, inputs: StageInputs) -> Outcome:
        if len(probe.calls) < 3:
            raise StoreUnavailableError("down")
        return await analyze(event, inputs)

    class Hurried(type(SUBSCRIPTION)):  # type: ignore[misc]
        handler_deadline_s = 0.15

    probe = Probe(paused_twice)
    consumer = runtime(probe, MemoryBroker(), MemoryObjectStore())
    consumer.subscription = Hurried(SUBSCRIPTION.service, SUBSCRIPTION.event)
    patient = replace(delivery(message()), patience_s=30)
    assert await consumer.process(patient) == Ack()
    assert await consumer.process(replace(patient, patience_s=None)) == Ack()


async def test_a_handler_past_its_deadline_is_stopped_and_tried_again() -> None:
    async def hang(event: MediaProcessedV1, inputs: StageInputs) -> Outcome:
        await asyncio.sleep(60)
        return Outcome()

    class Hurried(type(SUBSCRIPTION)):  # type: ignore[misc]
        handler_deadline_s = 0.05

    consumer = runtime(Probe(hang), MemoryBroker(), MemoryObjectStore())
    consumer.subscription = Hurried(SUBSCRIPTION.service, SUBSCRIPTION.event)
    assert await consumer.process(delivery(message())) == Nack()


async def test_without_the_broker_nothing_is_acked() -> None:
    class Deaf(MemoryBroker):
        async def publish(self, topic: str, data: bytes, attributes: object) -> None:
            raise BrokerUnavailableError("no route")

    class Hurried(type(SUBSCRIPTION)):  # type: ignore[misc]
        handler_deadline_s = 0.3

    store, probe = MemoryObjectStore(), Probe()
    consumer = runtime(probe, Deaf(), store)
    consumer.subscription = Hurried(SUBSCRIPTION.service, SUBSCRIPTION.event)
    assert await consumer.process(delivery(message(), attempt=5)) == Nack()
    broker = MemoryBroker()
    assert await runtime(probe, broker, store).process(delivery(message(), attempt=6)) == Ack()
    assert len(probe.calls) == 1
    assert len(broker.on(OUTPUT)) == 1


async def test_an_outage_of_the_broker_uses_no_attempt() -> None:
    class Flapping(MemoryBroker):
        asked = 0

        async def publish(self, topic: str, data: bytes, attributes: Mapping[str, str]) -> None:
            self.asked += 1
            if self.asked < 3:
                raise BrokerUnavailableError("no route")
            await super().publish(topic, data, attributes)

    probe, broker = Probe(), Flapping()
    assert await runtime(probe, broker, MemoryObjectStore()).process(delivery(message(), attempt=5)) == Ack()
    assert (len(probe.calls), len(broker.on(OUTPUT))) == (1, 1)


async def test_a_statement_that_is_too_slow_uses_an_attempt() -> None:
    async def slow(event: MediaProcessedV1, inputs: StageInputs) -> Outcome:
        raise DatabaseTooSlowError("canceling statement due to statement timeout")

    probe, broker = Probe(slow), MemoryBroker()
    consumer = runtime(probe, broker, MemoryObjectStore())
    assert await consumer.process(delivery(message(), attempt=1)) == Nack()
    assert await consumer.process(delivery(message(), attempt=5)) == Ack()
    assert len(probe.calls) == 2
    assert broker.on(DEAD_LETTER_TOPIC)[0].attributes[DEAD_LETTER_CODE] == FailureCode.TIMEOUT


async def test_a_poisoned_message_does_not_hold_up_its_neighbours() -> None:
    broker, store, probe = MemoryBroker(), MemoryObjectStore(), Probe()
    broker.attach([runtime(probe, broker, store, changed=quick)])
    for number in range(10):
        data = b"poison" if number == 3 else message(number).data.encode()
        await broker.publish(SUBSCRIPTION.event.topic(), data, message(number).attributes)
    await broker.drain()
    assert len(broker.on(OUTPUT)) == 9
    assert len(broker.on(DEAD_LETTER_TOPIC)) == 1


async def test_a_workdir_is_gone_after_the_handler(tmp_path: object) -> None:
    seen: list[object] = []

    async def write(event: MediaProcessedV1, inputs: StageInputs) -> Outcome:
        (inputs.workdir / "scratch").write_bytes(b"x")
        seen.append(inputs.workdir)
        raise Poison("on purpose")

    await runtime(Probe(write), MemoryBroker(), MemoryObjectStore()).process(delivery(message()))
    assert not seen[0].exists()  # type: ignore[attr-defined]


async def test_a_purge_removes_derived_files_and_one_version_and_leaves_no_memory() -> None:
    store, broker = MemoryObjectStore(), MemoryBroker()
    for key in ("amy/upl/1/a", "amy/upl/1/b", "amy/upl/2/a"):
        await store.put(ARTIFACTS, key, b"x", "text/plain")
    a = await _original(store, "amy/a.txt")
    b = await _original(store, "amy/b.txt")
    newer = b.model_copy(update={"generation": b.generation - 1})
    purges = [Purge("amy/upl/1/", original=a), Purge("amy/upl/1/", original=newer)]

    async def purge(event: MediaProcessedV1, inputs: StageInputs) -> Outcome:
        return Outcome(purge=purges[0])

    for _ in range(2):
        assert await runtime(Probe(purge), broker, store).process(delivery(message())) == Ack()
    purges.reverse()
    assert await runtime(Probe(purge), broker, store).process(delivery(message())) == Ack()
    assert store.keys(ARTIFACTS) == ["amy/upl/2/a"]
    assert store.keys("uploads") == ["amy/b.txt"]


@pytest.mark.parametrize("name", ["amy/upl/", "amy/", "amy/upl/a"])
async def test_the_beginning_of_a_name_removes_no_original(name: str) -> None:
    store = MemoryObjectStore()
    original = await _original(store, "amy/upl/a.txt")

    async def purge(event: MediaProcessedV1, inputs: StageInputs) -> Outcome:
        return Outcome(purge=Purge("amy/upl/1/", original=original.model_copy(update={"object_name": name})))

    assert await runtime(Probe(purge), MemoryBroker(), store).process(delivery(message())) == Ack()
    assert store.keys("uploads") == ["amy/upl/a.txt"]


async def _original(store: MemoryObjectStore, name: str) -> UploadRef:
    stored = await store.put("uploads", name, b"x", "text/plain")
    upload_id = ownership("uploads", name).upload_id
    return UploadRef(
        upload_id=upload_id, user_id="amy", bucket="uploads", object_name=name, generation=stored.generation
    )
