"""Messages sent again: addressed to one subscription, and notifications that decode to the event they were made of."""

import asyncio
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.artifacts import Service, UploadRef
from contracts.events import DeadLetterV1, MediaProcessedV1, ObjectDeletedV1, ObjectFinalizedV1
from contracts.identifiers import ownership
from contracts.topology import subscription
from eventing import codec
from eventing.codec import ONLY_FOR, REDRIVE
from eventing.dead_letters import publish_dead_letter
from eventing.delivery import Ack, Delivery
from eventing.handlers import Outcome, StageInputs
from eventing.notifications import deleted_message, finalized_message
from eventing.testing import MemoryBroker
from objectstore.testing import MemoryObjectStore
from tests.unit.eventing.pipeline import SUBSCRIPTION, Probe, analyze, message, runtime

NAMES = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="/"), min_size=1, max_size=40)
MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@pytest.mark.parametrize(("only", "calls"), [(None, 1), (SUBSCRIPTION.name, 1), ("search.media.processed.v1", 0)])
async def test_a_message_for_one_subscription_is_left_unread_by_others(only: str | None, calls: int) -> None:
    probe, broker = Probe(), MemoryBroker()
    stored = message()
    attributes = {**stored.attributes, **({ONLY_FOR: only} if only else {})}
    delivery = Delivery("1", stored.data.encode(), attributes, datetime.now(UTC))
    assert await runtime(probe, broker, MemoryObjectStore()).process(delivery) == Ack()
    assert len(probe.calls) == calls
    assert len(broker.published) == calls


async def test_copies_that_are_here_at_the_same_time_compute_once_and_announce_the_same() -> None:
    """The original and what the sweeper sent again; without it both would be paid for."""

    async def slowly(event: MediaProcessedV1, inputs: StageInputs) -> Outcome:
        await asyncio.sleep(0.05)
        return await analyze(event, inputs)

    probe, broker, stored = Probe(slowly), MemoryBroker(), message()
    works = runtime(probe, broker, MemoryObjectStore())
    deliveries = [Delivery(str(n), stored.data.encode(), stored.attributes, datetime.now(UTC)) for n in range(3)]
    assert await asyncio.gather(*map(works.process, deliveries)) == [Ack()] * 3
    assert len(probe.calls) == 1
    assert len({published.attributes["ce-id"] for published in broker.published}) == 1


async def test_not_even_poison_for_another_is_looked_at() -> None:
    broker = MemoryBroker()
    delivery = Delivery("1", b"poison", {ONLY_FOR: "search.media.processed.v1"}, datetime.now(UTC))
    assert await runtime(Probe(), broker, MemoryObjectStore()).process(delivery) == Ack()
    assert broker.published == []


async def test_one_that_dies_again_tells_how_often_it_was_sent_and_is_otherwise_what_it_was() -> None:
    broker, stored = MemoryBroker(), message()
    again = {**stored.attributes, ONLY_FOR: SUBSCRIPTION.name, REDRIVE: "2"}
    delivery = Delivery("1", stored.data.encode(), again, datetime.now(UTC), attempt=5)
    await publish_dead_letter(broker, SUBSCRIPTION, delivery, codec.FailureCode.TIMEOUT, "slow")
    [dead] = broker.published
    letter = codec.decode(DeadLetterV1, dead.data, dead.attributes).data
    assert (letter.redrives, letter.source_topic) == (2, "media.processed.v1")
    assert letter.original is not None
    assert letter.original.attributes == stored.attributes


async def test_letters_of_messages_nobody_understands_differ_by_what_they_say() -> None:
    source = {codec.DEAD_LETTER_SOURCE: subscription(Service.SEARCH, MediaProcessedV1).name}
    ids = {
        codec.decode(DeadLetterV1, data, {**source, **more}).data.letter_id
        for data, more in ((b"a", {}), (b"b", {}), (b"a", {"ce-type": "x"}))
    }
    assert len(ids) == 3


def _upload(name: str, generation: int) -> UploadRef:
    owner = ownership("uploads", name)
    return UploadRef(
        upload_id=owner.upload_id, user_id=owner.user_id, bucket="uploads", object_name=name, generation=generation
    )


@given(NAMES, st.integers(1, 2**62), st.integers(0, 2**40), MOMENTS, st.dictionaries(st.text(max_size=9), st.text()))
def test_a_notification_made_up_again_is_the_event_it_was(
    filename: str, generation: int, size: int, moment: datetime, metadata: dict[str, str]
) -> None:
    event = ObjectFinalizedV1(
        upload=_upload(f"ada/{filename}", generation),
        filename=filename,
        size_bytes=size,
        declared_media_type="text/plain",
        created_at=moment,
        metadata=metadata,
    )
    stored = finalized_message(event)
    decoded = codec.decode(ObjectFinalizedV1, stored.data.encode(), stored.attributes)
    assert decoded.data == event
    first = codec.decode(
        ObjectFinalizedV1, stored.data.encode(), {**stored.attributes, "eventTime": "2026-01-01T00:00Z"}
    )
    assert decoded.id == first.id, "the same object, whenever it is told"


@given(NAMES, st.integers(1, 2**62), st.none() | st.integers(1, 2**62), MOMENTS)
def test_a_removal_made_up_again_is_the_event_it_was(
    filename: str, generation: int, newer: int | None, moment: datetime
) -> None:
    event = ObjectDeletedV1(upload=_upload(f"ada/{filename}", generation), overwritten_by_generation=newer)
    stored = deleted_message(event, moment)
    decoded = codec.decode(ObjectDeletedV1, stored.data.encode(), stored.attributes)
    assert (decoded.data, decoded.time) == (event, moment)
