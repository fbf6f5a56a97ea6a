"""Pull, acknowledgements, deadlines, retries, dead letters, ordering, exactly-once and seek, by unary calls."""

import threading
import time
from datetime import UTC, datetime, timedelta

import pytest
from google.api_core import exceptions
from google.pubsub_v1 import types

from tests.conformance.pubsub_emulator.cloud import Cloud


def test_acknowledged_messages_do_not_come_back(cloud: Cloud) -> None:
    topic = cloud.topic()
    subscription = cloud.subscription(topic)
    cloud.publish(topic, b"a", b"b")
    first, second = cloud.pull(subscription, 2)
    cloud.ack(subscription, first)
    cloud.nack(subscription, first, second)
    assert [received.message.data for received in cloud.pull(subscription, 1)] == [b"b"]
    assert cloud.pull_once(subscription) == []


def test_expired_deadline_redelivers_and_invalidates_the_ack_id(cloud: Cloud) -> None:
    topic = cloud.topic()
    subscription = cloud.subscription(topic)
    cloud.publish(topic, b"a")
    [old] = cloud.pull(subscription, 1)
    cloud.set_deadline(subscription, 1, old)
    assert cloud.pull_once(subscription, timeout=0.3) == []
    [new] = cloud.pull(subscription, 1)
    assert new.ack_id != old.ack_id
    cloud.ack(subscription, old)
    cloud.nack(subscription, new)
    [again] = cloud.pull(subscription, 1)
    cloud.ack(subscription, again)


def test_extended_deadline_keeps_the_message(cloud: Cloud) -> None:
    topic = cloud.topic()
    subscription = cloud.subscription(topic)
    cloud.publish(topic, b"a")
    [received] = cloud.pull(subscription, 1)
    cloud.set_deadline(subscription, 1, received)
    cloud.set_deadline(subscription, 600, received)
    assert cloud.pull_once(subscription, timeout=1.5) == []


def test_waiting_pull_is_answered_by_a_publish(cloud: Cloud) -> None:
    topic = cloud.topic()
    subscription = cloud.subscription(topic)
    timer = threading.Timer(0.3, cloud.publish, [topic, b"late"])
    timer.start()
    [received] = cloud.subscriber.pull(subscription=subscription, max_messages=5, timeout=30).received_messages
    timer.join()
    assert received.message.data == b"late"


@pytest.mark.filterwarnings("ignore:The return_immediately flag is deprecated")
def test_return_immediately_does_not_wait(cloud: Cloud) -> None:
    request = types.PullRequest(subscription=cloud.subscription(cloud.topic()), max_messages=1, return_immediately=True)
    assert list(cloud.subscriber.pull(request=request, timeout=60, retry=None).received_messages) == []


def test_malformed_requests(cloud: Cloud) -> None:
    subscription = cloud.subscription(cloud.topic())
    bad = exceptions.InvalidArgument
    with pytest.raises(bad):
        cloud.subscriber.pull(subscription=subscription, max_messages=0, retry=None)
    with pytest.raises(bad):
        cloud.subscriber.acknowledge(subscription=subscription, ack_ids=[], retry=None)
    with pytest.raises(bad):
        cloud.subscriber.acknowledge(subscription=subscription, ack_ids=["nonsense"], retry=None)
    with pytest.raises(bad):
        cloud.set_deadline(subscription, 601, types.ReceivedMessage(ack_id="1-1-1"))


def test_large_backlogs_come_in_answers_below_four_mebibytes(cloud: Cloud) -> None:
    topic = cloud.topic()
    subscription = cloud.subscription(topic)
    cloud.publish(topic, *[bytes([i]) * 700_000 for i in range(12)])
    answers: list[list[types.ReceivedMessage]] = []
    while sum(len(answer) for answer in answers) < 12:
        answers.append(cloud.pull(subscription, 1) if not answers else cloud.pull_once(subscription, timeout=10))
    assert len(answers) >= 3


def test_retry_policy_delays_redelivery(cloud: Cloud) -> None:
    topic = cloud.topic()
    backoff = {"minimum_backoff": timedelta(seconds=1), "maximum_backoff": timedelta(seconds=2)}
    subscription = cloud.subscription(topic, retry_policy=backoff)
    cloud.publish(topic, b"a")
    [received] = cloud.pull(subscription, 1)
    cloud.nack(subscription, received)
    assert cloud.pull_once(subscription, timeout=0.5) == []
    [received] = cloud.pull(subscription, 1)
    cloud.nack(subscription, received)
    assert cloud.pull_once(subscription, timeout=1.3) == []
    assert len(cloud.pull(subscription, 1)) == 1


def test_attempts_are_counted_only_with_a_dead_letter_policy(cloud: Cloud) -> None:
    topic = cloud.topic()
    plain = cloud.subscription(topic)
    counted = cloud.subscription(topic, dead_letter_policy={"dead_letter_topic": cloud.topic()})
    cloud.publish(topic, b"a")
    for subscription, expected in ((plain, [0, 0]), (counted, [1, 2])):
        attempts = []
        for _ in range(2):
            [received] = cloud.pull(subscription, 1)
            attempts.append(received.delivery_attempt)
            cloud.nack(subscription, received)
        assert attempts == expected


def test_exhausted_message_moves_to_the_dead_letter_topic(cloud: Cloud) -> None:
    topic, graveyard = cloud.topic(), cloud.topic()
    dead = cloud.subscription(graveyard)
    policy = {"dead_letter_topic": graveyard, "max_delivery_attempts": 5}
    subscription = cloud.subscription(topic, dead_letter_policy=policy)
    cloud.publish(topic, b"poison", kind="bad")
    for _ in range(5):
        [received] = cloud.pull(subscription, 1)
        cloud.nack(subscription, received)
    [grave] = cloud.pull(dead, 1)
    attributes = dict(grave.message.attributes)
    published = datetime.fromisoformat(attributes.pop("CloudPubSubDeadLetterSourceTopicPublishTime"))
    assert abs(published - received.message.publish_time) < timedelta(milliseconds=2)
    assert attributes == {
        "kind": "bad",
        "CloudPubSubDeadLetterSourceDeliveryCount": "5",
        "CloudPubSubDeadLetterSourceSubscription": subscription.rsplit("/", 1)[1],
        "CloudPubSubDeadLetterSourceSubscriptionProject": subscription.split("/")[1],
    }
    assert grave.message.data == b"poison"
    assert grave.delivery_attempt == 0
    assert cloud.pull_once(subscription) == []


def test_ordering_key_is_delivered_one_by_one_in_order(cloud: Cloud) -> None:
    topic = cloud.topic()
    subscription = cloud.subscription(topic, enable_message_ordering=True)
    for i in range(4):
        cloud.publish(topic, f"a{i}".encode(), ordering_key="a")
        cloud.publish(topic, f"b{i}".encode(), ordering_key="b")
    order: list[str] = []
    refused = False
    while len(order) < 8:
        batch = cloud.pull(subscription, 1, patience=10)
        for received in batch:
            if received.message.data == b"a1" and not refused:
                cloud.nack(subscription, received)
                refused = True
                continue
            order.append(received.message.data.decode())
            cloud.ack(subscription, received)
    assert [name for name in order if name[0] == "a"] == ["a0", "a1", "a2", "a3"]
    assert [name for name in order if name[0] == "b"] == ["b0", "b1", "b2", "b3"]


def test_exactly_once_names_the_stale_ack_ids(cloud: Cloud) -> None:
    topic = cloud.topic()
    subscription = cloud.subscription(topic, enable_exactly_once_delivery=True)
    cloud.publish(topic, b"a", b"b")
    good, stale = cloud.pull(subscription, 2)
    cloud.nack(subscription, stale)
    with pytest.raises(exceptions.FailedPrecondition) as refusal:
        cloud.ack(subscription, good, stale)
    reasons = {stale.ack_id: "PERMANENT_FAILURE_INVALID_ACK_ID"}
    assert refusal.value.metadata == reasons
    with pytest.raises(exceptions.FailedPrecondition) as refusal:
        cloud.set_deadline(subscription, 60, stale)
    assert refusal.value.metadata == reasons
    assert [received.message.data for received in cloud.pull(subscription, 1)] == [stale.message.data]


def seek(cloud: Cloud, subscription: str, to: datetime) -> None:
    cloud.subscriber.seek(request={"subscription": subscription, "time": to}, retry=None)


def test_seek_back_replays_retained_messages(cloud: Cloud) -> None:
    topic = cloud.topic()
    retaining = cloud.subscription(topic, retain_acked_messages=True)
    forgetting = cloud.subscription(topic)
    cloud.publish(topic, b"before")
    time.sleep(0.05)
    between = datetime.now(UTC)
    time.sleep(0.05)
    cloud.publish(topic, b"after")
    for subscription in (retaining, forgetting):
        cloud.ack(subscription, *cloud.pull(subscription, 2))
        seek(cloud, subscription, between)
    assert [received.message.data for received in cloud.pull(retaining, 1)] == [b"after"]
    assert cloud.pull_once(retaining) == []
    assert cloud.pull_once(forgetting) == []


def test_seek_forward_drops_the_backlog(cloud: Cloud) -> None:
    topic = cloud.topic()
    subscription = cloud.subscription(topic)
    cloud.publish(topic, b"old", b"older")
    seek(cloud, subscription, datetime.now(UTC) + timedelta(seconds=1))
    assert cloud.pull_once(subscription) == []
    with pytest.raises(exceptions.InvalidArgument):
        cloud.subscriber.seek(request={"subscription": subscription}, retry=None)
