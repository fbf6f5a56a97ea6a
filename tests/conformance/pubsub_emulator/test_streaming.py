"""Streaming pull with the official subscriber client: acks, nacks, flow control, sharing, ends of streams."""

import threading
import time
from collections import Counter
from datetime import timedelta

import pytest
from google.api_core import exceptions
from google.cloud.pubsub_v1.subscriber.message import Message
from google.cloud.pubsub_v1.types import FlowControl

from tests.conformance.pubsub_emulator.cloud import Cloud, StreamRequests, async_clients, eventually


class Received:
    """Thread-safe bodies of what a callback saw."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.lock = threading.Lock()

    def note(self, message: Message) -> None:
        with self.lock:
            self.bodies.append(message.data)

    def ack(self, message: Message) -> None:
        self.note(message)
        message.ack()


def test_everything_published_arrives_once(cloud: Cloud) -> None:
    topic = cloud.topic()
    subscription = cloud.subscription(topic)
    got = Received()
    with cloud.streaming(subscription, got.ack):
        cloud.publish(topic, *[str(i).encode() for i in range(500)])
        eventually(lambda: len(got.bodies) >= 500)
    assert Counter(got.bodies) == Counter(str(i).encode() for i in range(500))
    assert cloud.pull_once(subscription) == []


def test_nacked_message_returns_on_the_stream(cloud: Cloud) -> None:
    topic = cloud.topic()
    policy = {"dead_letter_topic": cloud.topic()}
    subscription = cloud.subscription(topic, dead_letter_policy=policy)
    attempts: list[int | None] = []

    def refuse_twice(message: Message) -> None:
        attempts.append(message.delivery_attempt)
        message.ack() if len(attempts) == 3 else message.nack()

    with cloud.streaming(subscription, refuse_twice):
        cloud.publish(topic, b"x")
        eventually(lambda: len(attempts) >= 3)
    assert attempts == [1, 2, 3]


def test_flow_control_limits_what_is_outstanding(cloud: Cloud) -> None:
    topic = cloud.topic()
    subscription = cloud.subscription(topic)
    held: list[Message] = []
    cloud.publish(topic, *[b"x"] * 20)
    with cloud.streaming(subscription, held.append, flow_control=FlowControl(max_messages=3)):
        eventually(lambda: len(held) == 3)
        # What the first stream may not hold is there for others at once.
        others = cloud.pull(subscription, 17)
        assert len(others) == 17
        cloud.nack(subscription, others[0])
        held[0].ack()
        eventually(lambda: len(held) == 4)
        for message in held[1:]:
            message.ack()


def test_streams_of_one_subscription_share_the_load(cloud: Cloud) -> None:
    topic = cloud.topic()
    subscription = cloud.subscription(topic)
    first, second = Received(), Received()
    with cloud.streaming(subscription, first.ack), cloud.streaming(subscription, second.ack):
        # Until both streams are open, the one that is gets everything.
        eventually(lambda: bool(cloud.publish(topic, b"open?") and first.bodies and second.bodies))
        bodies = [str(i).encode() for i in range(60)]
        for body in bodies:
            cloud.publish(topic, body)
        eventually(lambda: {*first.bodies, *second.bodies} >= {*bodies})
    shares = [[body for body in received.bodies if body != b"open?"] for received in (first, second)]
    assert Counter(shares[0] + shares[1]) == Counter(bodies)
    assert min(len(share) for share in shares) >= 15


def test_ordered_stream(cloud: Cloud) -> None:
    topic = cloud.topic()
    subscription = cloud.subscription(topic, enable_message_ordering=True)
    got = Received()
    with cloud.streaming(subscription, got.ack):
        for i in range(30):
            for key in ("a", "b", "c"):
                cloud.publisher.publish(topic, f"{key}{i}".encode(), ordering_key=key)
        eventually(lambda: len(got.bodies) >= 90)
    for key in (b"a", b"b", b"c"):
        mine = [body for body in got.bodies if body.startswith(key)]
        assert mine == [key + str(i).encode() for i in range(30)]


def test_exactly_once_acknowledgement_is_confirmed(cloud: Cloud) -> None:
    topic = cloud.topic()
    subscription = cloud.subscription(topic, enable_exactly_once_delivery=True)
    outcomes: list[str] = []

    def confirm(message: Message) -> None:
        outcomes.append(message.ack_with_response().result(timeout=10).name)

    with cloud.streaming(subscription, confirm):
        cloud.publish(topic, b"x")
        eventually(lambda: len(outcomes) == 1)
    assert outcomes == ["SUCCESS"]


def test_deleted_subscription_ends_the_stream_for_good(cloud: Cloud) -> None:
    subscription = cloud.subscription(cloud.topic())
    with cloud.streaming(subscription, lambda message: message.ack()) as future:
        time.sleep(0.3)
        cloud.subscriber.delete_subscription(subscription=subscription)
        with pytest.raises(exceptions.NotFound):
            future.result(timeout=20)


def test_stream_of_an_unknown_subscription_fails(cloud: Cloud) -> None:
    with (
        cloud.streaming(cloud.name("subscriptions"), lambda message: message.ack()) as future,
        pytest.raises(exceptions.NotFound),
    ):
        future.result(timeout=20)


def test_update_of_a_running_subscription_takes_effect(cloud: Cloud) -> None:
    topic = cloud.topic()
    subscription = cloud.subscription(topic)
    got = Received()

    def refuse(message: Message) -> None:
        got.note(message)
        message.nack()

    slow = {"minimum_backoff": timedelta(seconds=600), "maximum_backoff": timedelta(seconds=600)}
    update = {
        "subscription": {"name": subscription, "retry_policy": slow},
        "update_mask": {"paths": ["retry_policy"]},
    }
    with cloud.streaming(subscription, refuse):
        cloud.publish(topic, b"x")
        eventually(lambda: len(got.bodies) > 2)
        cloud.subscriber.update_subscription(request=update, retry=None)
        time.sleep(0.3)
        settled = len(got.bodies)
        time.sleep(0.5)
        assert len(got.bodies) == settled


async def test_async_clients_publish_pull_and_stream(pubsub_host: str, cloud: Cloud) -> None:
    topic = cloud.topic()
    subscription = cloud.subscription(topic, ack_deadline_seconds=30, enable_message_ordering=True)
    publisher, subscriber = async_clients(pubsub_host)
    async with publisher, subscriber:
        await publisher.publish(topic=topic, messages=[{"data": b"1"}, {"data": b"2"}])
        pulled = await subscriber.pull(subscription=subscription, max_messages=1, timeout=10)
        ack_ids = [received.ack_id for received in pulled.received_messages]
        await subscriber.acknowledge(subscription=subscription, ack_ids=ack_ids)
        stream = await subscriber.streaming_pull(requests=StreamRequests(subscription), timeout=30)
        async for response in stream:
            assert response.subscription_properties.message_ordering_enabled
            assert not response.subscription_properties.exactly_once_delivery_enabled
            assert [received.message.data for received in response.received_messages] == [b"2"]
            break
        stream.cancel()


async def test_acks_and_deadlines_on_the_stream_itself(pubsub_host: str, cloud: Cloud) -> None:
    topic = cloud.topic()
    subscription = cloud.subscription(topic, enable_exactly_once_delivery=True)
    cloud.publish(topic, b"x")
    publisher, subscriber = async_clients(pubsub_host)
    async with publisher, subscriber:
        requests = StreamRequests(subscription)
        stream = aiter(await subscriber.streaming_pull(requests=requests, timeout=30))
        [received] = (await anext(stream)).received_messages
        requests.send(modify_deadline_ack_ids=[received.ack_id], modify_deadline_seconds=[0])
        assert list((await anext(stream)).modify_ack_deadline_confirmation.ack_ids) == [received.ack_id]
        [again] = (await anext(stream)).received_messages
        requests.send(ack_ids=[received.ack_id, again.ack_id])
        confirmation = (await anext(stream)).acknowledge_confirmation
        assert list(confirmation.ack_ids) == [again.ack_id]
        assert list(confirmation.invalid_ack_ids) == [received.ack_id]
        requests.send(subscription=subscription)
        with pytest.raises(exceptions.InvalidArgument):
            await anext(stream)
