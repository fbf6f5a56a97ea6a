"""Object notifications, from a change in the bucket to a message a subscriber of the real broker receives."""

import json
import secrets
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import requests
from google.api_core.exceptions import BadRequest, DeadlineExceeded, NotFound
from google.cloud import storage
from google.cloud.pubsub_v1 import PublisherClient, SubscriberClient
from google.pubsub_v1.types import PubsubMessage

from tests.conformance.storage_emulator.conftest import connect, open_session
from tests.conformance.storage_emulator.process import PROJECT, BrokerProcess, StorageProcess


class Cloud:
    """Both emulators with their official clients."""

    def __init__(self, broker: BrokerProcess, emulator: StorageProcess, client: storage.Client) -> None:
        self.broker = broker
        self.emulator = emulator
        self.client = client
        self._publisher = PublisherClient()
        self._subscriber = SubscriberClient()

    def close(self) -> None:
        self._publisher.stop()
        self._publisher.transport.close()
        self._subscriber.close()
        self.client.close()

    def bucket(self) -> storage.Bucket:
        return self.client.create_bucket(f"bucket-{secrets.token_hex(6)}")

    def topic(self) -> str:
        """The id of a new topic with a subscription of the same id."""
        name = f"topic-{secrets.token_hex(6)}"
        topic, subscription = self._publisher.topic_path(PROJECT, name), self._subscription(name)
        self._publisher.create_topic(name=topic)
        self._subscriber.create_subscription(name=subscription, topic=topic)
        return name

    def received(self, topic: str, count: int) -> list[PubsubMessage]:
        """The next messages, at least `count` of them."""
        found: list[PubsubMessage] = []
        end = time.monotonic() + 30
        while len(found) < count and time.monotonic() < end:
            for received in self._pull(topic, 5):
                found.append(received)
        assert len(found) >= count
        return found

    def nothing_more(self, topic: str) -> bool:
        return not self._pull(topic, 0.3)

    def _pull(self, topic: str, timeout: float) -> list[PubsubMessage]:
        subscription = self._subscription(topic)
        try:
            pulled = self._subscriber.pull(subscription=subscription, max_messages=100, timeout=timeout, retry=None)
        except DeadlineExceeded:
            return []
        ack_ids = [received.ack_id for received in pulled.received_messages]
        if ack_ids:
            self._subscriber.acknowledge(subscription=subscription, ack_ids=ack_ids)
        return [received.message for received in pulled.received_messages]

    def _subscription(self, name: str) -> str:
        return self._subscriber.subscription_path(PROJECT, name)


@contextmanager
def running_cloud(directory: Path) -> Generator[Cloud]:
    broker = BrokerProcess(directory / "pubsub")
    broker.start()
    emulator = StorageProcess(directory / "storage", broker=broker.address)
    try:
        emulator.start()
        with pytest.MonkeyPatch.context() as environment:
            environment.setenv("PUBSUB_EMULATOR_HOST", broker.address)
            cloud = Cloud(broker, emulator, connect(emulator, environment))
        yield cloud
        cloud.close()
    finally:
        emulator.kill()
        broker.kill()


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """Shared by every test that kills nothing."""
    with running_cloud(tmp_path_factory.mktemp("cloud")) as running:
        yield running


@pytest.fixture
def own_cloud(tmp_path: Path) -> Iterator[Cloud]:
    """One that the test may kill."""
    with running_cloud(tmp_path) as running:
        yield running


def by_type(messages: list[PubsubMessage]) -> dict[str, dict[str, str]]:
    return {message.attributes["eventType"]: dict(message.attributes) for message in messages}


def test_a_new_object_is_told_with_all_that_is_known_of_it(cloud: Cloud) -> None:
    bucket, topic = cloud.bucket(), cloud.topic()
    config = bucket.notification(topic, custom_attributes={"tenant": "t1"}, payload_format="JSON_API_V1")
    config.create()
    blob = bucket.blob("u1/ünï.txt")
    blob.metadata = {"traceparent": "00-abc"}
    blob.upload_from_string(b"one", content_type="text/plain")
    first = blob.generation
    (message,) = cloud.received(topic, 1)
    attributes = dict(message.attributes)
    assert datetime.fromisoformat(attributes.pop("eventTime")).tzinfo is not None
    assert attributes == {
        "notificationConfig": f"projects/_/buckets/{bucket.name}/notificationConfigs/{config.notification_id}",
        "eventType": "OBJECT_FINALIZE",
        "payloadFormat": "JSON_API_V1",
        "bucketId": bucket.name,
        "objectId": "u1/ünï.txt",
        "objectGeneration": str(first),
        "tenant": "t1",
    }
    resource: dict[str, Any] = json.loads(message.data)
    assert resource["kind"] == "storage#object"
    assert (resource["name"], resource["size"], resource["generation"]) == ("u1/ünï.txt", "3", str(first))
    assert (resource["metadata"], resource["contentType"]) == ({"traceparent": "00-abc"}, "text/plain")
    assert requests.get(resource["mediaLink"], timeout=5).content == b"one"


def test_update_overwrite_delete(cloud: Cloud) -> None:
    bucket, topic = cloud.bucket(), cloud.topic()
    bucket.notification(topic, payload_format="JSON_API_V1").create()
    blob = bucket.blob("u1/ünï.txt")
    blob.upload_from_string(b"one")
    first = blob.generation
    assert by_type(cloud.received(topic, 1)).keys() == {"OBJECT_FINALIZE"}

    blob.metadata = {"more": "yes"}
    blob.patch()
    (message,) = cloud.received(topic, 1)
    assert message.attributes["eventType"] == "OBJECT_METADATA_UPDATE"
    assert json.loads(message.data)["metageneration"] == "2"

    blob.upload_from_string(b"two")
    events = by_type(cloud.received(topic, 2))
    assert events["OBJECT_FINALIZE"]["overwroteGeneration"] == str(first)
    assert events["OBJECT_DELETE"]["overwrittenByGeneration"] == str(blob.generation)
    assert events["OBJECT_DELETE"]["objectGeneration"] == str(first)

    blob.delete()
    (message,) = cloud.received(topic, 1)
    assert message.attributes["eventType"] == "OBJECT_DELETE"
    assert "overwrittenByGeneration" not in message.attributes
    assert cloud.nothing_more(topic)


def test_prefix_event_types_and_no_payload(cloud: Cloud) -> None:
    bucket, topic = cloud.bucket(), cloud.topic()
    bucket.notification(topic, blob_name_prefix="in/", event_types=["OBJECT_FINALIZE"], payload_format="NONE").create()
    for name in ("out/x", "in/x"):
        bucket.blob(name).upload_from_string(b"x")
        bucket.delete_blob(name)
    (message,) = cloud.received(topic, 1)
    assert (message.attributes["objectId"], message.data) == ("in/x", b"")
    assert cloud.nothing_more(topic)


def test_copies_compositions_moves_and_archives_are_announced(cloud: Cloud) -> None:
    bucket, topic = cloud.bucket(), cloud.topic()
    bucket.blob("a").upload_from_string(b"a")
    bucket.notification(topic).create()
    bucket.copy_blob(bucket.blob("a"), bucket, "b")
    bucket.blob("c").compose([bucket.blob("a"), bucket.blob("b")])
    bucket.move_blob(bucket.blob("b"), "d")
    bucket.versioning_enabled = True
    bucket.patch()
    bucket.delete_blob("d")
    found = [(m.attributes["eventType"], m.attributes["objectId"]) for m in cloud.received(topic, 5)]
    finalized = [("OBJECT_FINALIZE", name) for name in "bcd"]
    assert sorted(found) == sorted([*finalized, ("OBJECT_DELETE", "b"), ("OBJECT_ARCHIVE", "d")])


def test_configurations(cloud: Cloud) -> None:
    bucket, topic = cloud.bucket(), cloud.topic()
    config = bucket.notification(topic, custom_attributes={"a": "b"}, blob_name_prefix="p/")
    config.create()
    (listed,) = bucket.list_notifications()
    assert (listed.topic_name, listed.custom_attributes, listed.blob_name_prefix) == (topic, {"a": "b"}, "p/")
    assert bucket.get_notification(config.notification_id).topic_project == PROJECT
    config.delete()
    assert not config.exists()
    with pytest.raises(NotFound):
        bucket.get_notification("99")
    with pytest.raises(BadRequest):
        bucket.notification(topic, custom_attributes={"a": "x" * 2000}).create()


def test_kill_right_after_the_answer(own_cloud: Cloud) -> None:
    """The broker is away, so nothing can have been published before the kill; the restart publishes it."""
    bucket, topic = own_cloud.bucket(), own_cloud.topic()
    bucket.notification(topic).create()
    own_cloud.broker.kill()
    blob = bucket.blob("x")
    blob.upload_from_string(b"x")
    own_cloud.emulator.kill()
    own_cloud.broker.start()
    assert own_cloud.nothing_more(topic)
    own_cloud.emulator.start()
    (message,) = own_cloud.received(topic, 1)
    assert message.attributes["objectGeneration"] == str(blob.generation)
    assert bucket.blob("x").download_as_bytes() == b"x"


def test_broker_away_for_a_while(own_cloud: Cloud) -> None:
    bucket, topic = own_cloud.bucket(), own_cloud.topic()
    bucket.notification(topic).create()
    own_cloud.broker.kill()
    names = [f"object/{number}" for number in range(30)]
    for name in names:
        bucket.blob(name).upload_from_string(b"x")
    own_cloud.broker.start()
    assert {message.attributes["objectId"] for message in own_cloud.received(topic, 30)} == set(names)


def test_a_missing_topic_holds_up_nobody_else(cloud: Cloud) -> None:
    bucket, topic = cloud.bucket(), cloud.topic()
    bucket.notification("topic-that-is-not-there").create()
    bucket.notification(topic).create()
    for number in range(3):
        bucket.blob(f"object/{number}").upload_from_string(b"x")
    assert len(cloud.received(topic, 3)) == 3


def test_the_event_follows_the_object(cloud: Cloud) -> None:
    bucket, topic = cloud.bucket(), cloud.topic()
    bucket.notification(topic, event_types=["OBJECT_FINALIZE"]).create()
    for number in range(20):
        session = open_session(bucket.blob(f"object/{number}"))
        assert requests.put(session, str(number), timeout=5).status_code == 200
    for message in cloud.received(topic, 20):
        generation = int(message.attributes["objectGeneration"])
        blob = bucket.blob(message.attributes["objectId"], generation=generation)
        assert blob.download_as_bytes().decode() == message.attributes["objectId"].removeprefix("object/")
