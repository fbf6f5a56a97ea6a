"""Publishing: ids and times, limits, what is lost and what is refused."""

import time

import grpc
import pytest
from google.api_core import exceptions
from google.pubsub_v1 import SubscriberClient
from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcTransport

from tests.conformance.pubsub_emulator.cloud import Cloud


def publish(cloud: Cloud, topic: str, *messages: dict[str, object]) -> list[str]:
    """The bare RPC, without the client library's own checks."""
    return list(cloud.bare_publisher.publish(topic=topic, messages=messages, retry=None, timeout=30).message_ids)


def test_ids_are_numbers_and_messages_arrive_whole(cloud: Cloud) -> None:
    topic = cloud.topic()
    subscription = cloud.subscription(topic)
    before = time.time()
    ids = publish(cloud, topic, {"data": b"\x00\xff", "attributes": {"ключ": "å"}}, {"attributes": {"only": ""}})
    assert all(message_id.isdigit() for message_id in ids)
    assert len(set(ids)) == 2
    first, second = (received.message for received in cloud.pull(subscription, 2))
    assert [first.message_id, second.message_id] == ids
    assert (first.data, dict(first.attributes)) == (b"\x00\xff", {"ключ": "å"})
    assert (second.data, dict(second.attributes)) == (b"", {"only": ""})
    assert before - 1 <= first.publish_time.timestamp() <= time.time() + 1


def test_every_subscription_gets_its_own_copy(cloud: Cloud) -> None:
    topic = cloud.topic()
    subscriptions = [cloud.subscription(topic) for _ in range(3)]
    cloud.publish(topic, b"one")
    for subscription in subscriptions:
        [received] = cloud.pull(subscription, 1)
        cloud.ack(subscription, received)
        assert received.message.data == b"one"


def test_messages_before_the_subscription_are_lost(cloud: Cloud) -> None:
    topic = cloud.topic()
    cloud.publish(topic, b"nobody listens")
    subscription = cloud.subscription(topic)
    cloud.publish(topic, b"heard")
    assert [received.message.data for received in cloud.pull(subscription, 1)] == [b"heard"]
    assert cloud.pull_once(subscription) == []


def test_unknown_topic(cloud: Cloud) -> None:
    with pytest.raises(exceptions.NotFound):
        publish(cloud, cloud.name("topics"), {"data": b"x"})


@pytest.mark.parametrize(
    "message",
    [
        {},
        {"data": b"x", "attributes": {str(i): "" for i in range(101)}},
        {"data": b"x", "attributes": {"k" * 257: ""}},
        {"data": b"x", "attributes": {"": ""}},
        {"data": b"x", "attributes": {"k": "v" * 1025}},
        {"data": b"x", "attributes": {"googreserved": ""}},
        {"data": b"x", "ordering_key": "k" * 1025},
        {"data": b"x" * 10_000_001},
    ],
    ids=["empty", "attributes", "key", "empty-key", "value", "reserved", "ordering-key", "size"],
)
def test_limits_are_invalid_argument(cloud: Cloud, message: dict[str, object]) -> None:
    topic = cloud.topic()
    subscription = cloud.subscription(topic)
    with pytest.raises(exceptions.InvalidArgument):
        publish(cloud, topic, {"data": b"fine"}, message)
    assert cloud.pull_once(subscription) == []


def test_number_of_messages_is_limited(cloud: Cloud) -> None:
    topic = cloud.topic()
    with pytest.raises(exceptions.InvalidArgument):
        publish(cloud, topic)
    with pytest.raises(exceptions.InvalidArgument):
        publish(cloud, topic, *[{"data": b"x"}] * 1001)


def test_the_limits_themselves_are_allowed(cloud: Cloud) -> None:
    topic = cloud.topic()
    subscription = cloud.subscription(topic)
    attributes = {f"{i:03}" + "k" * 253: "v" * 1024 for i in range(100)}
    publish(cloud, topic, {"data": b"x", "attributes": attributes, "ordering_key": "k" * 1024})
    publish(cloud, topic, *[{"data": b"x"}] * 1000)
    assert len(cloud.pull(subscription, 1001)) == 1001


def test_nine_megabytes_reach_a_client_that_accepts_them(cloud: Cloud) -> None:
    """The library's emulator channel stops at 4 MiB, so this client brings its own."""
    topic = cloud.topic()
    subscription = cloud.subscription(topic)
    cloud.publish(topic, b"m" * 9_000_000)
    channel = grpc.insecure_channel(cloud.host, options=[("grpc.max_receive_message_length", -1)])
    with SubscriberClient(transport=SubscriberGrpcTransport(channel=channel)) as subscriber:
        [received] = subscriber.pull(subscription=subscription, max_messages=1, timeout=20).received_messages
        assert received.message.data == b"m" * 9_000_000
        subscriber.acknowledge(subscription=subscription, ack_ids=[received.ack_id])


@pytest.mark.parametrize(
    ("expression", "wanted"),
    [
        ('attributes."ce-type" = "a.v1"', {"a1"}),
        ('attributes."ce-type" != "a.v1"', {"b1", "none"}),
        ("attributes:user AND NOT attributes:skip", {"a1"}),
        ('hasPrefix(attributes."ce-type", "b") OR NOT attributes:user', {"b1", "none"}),
    ],
)
def test_filters_select_by_attributes(cloud: Cloud, expression: str, wanted: set[str]) -> None:
    topic = cloud.topic()
    subscription = cloud.subscription(topic, filter=expression)
    cloud.publish(topic, b"a1", **{"ce-type": "a.v1", "user": "u"})
    cloud.publish(topic, b"b1", **{"ce-type": "b.v1", "user": "u", "skip": ""})
    cloud.publish(topic, b"none", other="x")
    assert {received.message.data.decode() for received in cloud.pull(subscription, len(wanted))} == wanted
    assert cloud.pull_once(subscription) == []
