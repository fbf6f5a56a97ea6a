"""What survives kill -9 and restarts of the process on the same data directory."""

import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime

import pytest
from google.api_core import exceptions
from google.cloud.pubsub_v1.subscriber.message import Message

from tests.conformance.pubsub_emulator.cloud import Cloud, eventually
from tests.conformance.pubsub_emulator.emulator_process import EmulatorProcess

Connect = Callable[[EmulatorProcess], Cloud]


def restart(emulator: EmulatorProcess) -> None:
    emulator.kill()
    emulator.start()


def test_resources_and_settings_survive(emulator: EmulatorProcess, connect: Connect) -> None:
    cloud = connect(emulator)
    topic, gone = cloud.topic(labels={"a": "1"}), cloud.topic()
    kept = cloud.subscription(topic, filter="attributes:x", enable_message_ordering=True)
    orphan, deleted = cloud.subscription(gone), cloud.subscription(topic)
    cloud.publisher.delete_topic(topic=gone)
    cloud.subscriber.delete_subscription(subscription=deleted)
    before = cloud.subscriber.get_subscription(subscription=kept)
    restart(emulator)
    again = connect(emulator)
    assert dict(again.publisher.get_topic(topic=topic).labels) == {"a": "1"}
    assert again.subscriber.get_subscription(subscription=kept) == before
    assert again.subscriber.get_subscription(subscription=orphan).topic == "_deleted-topic_"
    assert list(again.publisher.list_topic_subscriptions(topic=topic)) == [kept]
    with pytest.raises(exceptions.NotFound):
        again.publisher.get_topic(topic=gone, retry=None)


def test_unacknowledged_messages_come_again_and_acknowledged_ones_do_not(
    emulator: EmulatorProcess, connect: Connect
) -> None:
    cloud = connect(emulator)
    topic = cloud.topic()
    subscription, other = cloud.subscription(topic), cloud.subscription(topic)
    cloud.publish(topic, b"acked", b"leased", b"waiting")
    acked, leased = cloud.pull(subscription, 2)
    cloud.ack(subscription, acked)
    assert emulator.stop() == 0
    emulator.start()
    again = connect(emulator)
    assert {r.message.data for r in again.pull(subscription, 2)} == {b"leased", b"waiting"}
    assert again.pull_once(subscription) == []
    assert len(again.pull(other, 3)) == 3
    new_id = again.publish(topic, b"new")[0]
    assert int(new_id) > int(leased.message.message_id)


def test_ack_id_from_before_the_restart_still_settles(emulator: EmulatorProcess, connect: Connect) -> None:
    cloud = connect(emulator)
    topic = cloud.topic()
    subscription = cloud.subscription(topic)
    cloud.publish(topic, b"long work")
    [held] = cloud.pull(subscription, 1)
    restart(emulator)
    again = connect(emulator)
    again.ack(subscription, held)
    assert again.pull_once(subscription) == []


def test_delivery_attempts_survive(emulator: EmulatorProcess, connect: Connect) -> None:
    cloud = connect(emulator)
    topic, graveyard = cloud.topic(), cloud.topic()
    dead = cloud.subscription(graveyard)
    subscription = cloud.subscription(topic, dead_letter_policy={"dead_letter_topic": graveyard})
    cloud.publish(topic, b"poison")
    for _ in range(3):
        cloud.nack(subscription, *cloud.pull(subscription, 1))
    # A durable publish after it carries the counts to the disk.
    cloud.publish(topic, b"other")
    restart(emulator)
    again = connect(emulator)
    poison, other = sorted(again.pull(subscription, 2), key=lambda r: r.message.data, reverse=True)
    assert (poison.delivery_attempt, other.delivery_attempt) == (4, 1)
    again.nack(subscription, poison)
    again.nack(subscription, *again.pull(subscription, 1))
    assert again.pull(dead, 1)[0].message.data == b"poison"


def test_retained_messages_can_be_replayed_after_a_restart(emulator: EmulatorProcess, connect: Connect) -> None:
    cloud = connect(emulator)
    topic = cloud.topic()
    subscription = cloud.subscription(topic, retain_acked_messages=True)
    start = datetime.now(UTC)
    cloud.publish(topic, b"again")
    cloud.ack(subscription, *cloud.pull(subscription, 1))
    emulator.stop()
    emulator.start()
    again = connect(emulator)
    assert again.pull_once(subscription) == []
    again.subscriber.seek(request={"subscription": subscription, "time": start}, retry=None)
    assert again.pull(subscription, 1)[0].message.data == b"again"


def test_nothing_confirmed_is_lost_by_a_kill_and_a_stop_while_publishing(
    emulator: EmulatorProcess, connect: Connect
) -> None:
    cloud = connect(emulator)
    topic = cloud.topic()
    subscription = cloud.subscription(topic)
    got: set[bytes] = set()
    lock = threading.Lock()

    def keep(message: Message) -> None:
        with lock:
            got.add(message.data)
        message.ack()

    bodies = {str(i).encode() for i in range(4000)}
    with cloud.streaming(subscription, keep) as stream:
        futures = [cloud.publisher.publish(topic, body) for body in bodies]
        for number, end in enumerate((emulator.kill, emulator.stop), start=1):
            eventually(lambda wanted=200 * number: sum(future.done() for future in futures) > wanted)
            end()
            emulator.start()
        for future in futures:
            future.result(timeout=60)
        eventually(lambda: got >= bodies, patience=60)
        assert stream.running()


def test_disk_does_not_grow_with_acknowledged_messages(emulator: EmulatorProcess, connect: Connect) -> None:
    cloud = connect(emulator)
    topic = cloud.topic()
    subscription = cloud.subscription(topic)
    path = emulator.data_dir / "pubsub.sqlite3"
    sizes = []
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
        for _ in range(4):
            cloud.publish(topic, *[b"x" * 1_000_000] * 8)
            cloud.ack(subscription, *cloud.pull(subscription, 8))
            eventually(lambda: database.execute("SELECT count(*) FROM messages").fetchone() == (0,))
            sizes.append(path.stat().st_size)
    assert max(sizes) <= 12_000_000, "8 MB at a time, of 32 in all"
