"""The topology against both emulators: everything is made once, changes are applied, the unchangeable is reported."""

import itertools
from collections.abc import Iterator

import pytest
from google.cloud import pubsub_v1, storage
from google.pubsub_v1 import types

from contracts import topology
from localcloud.provision import (
    Backoff,
    Buckets,
    ImmutableDifferenceError,
    main,
    provision_buckets,
    provision_subscriptions,
    provision_topics,
    wanted_subscriptions,
)
from tests.integration.localcloud.programs import ready_line, refused, running


class Cloud:
    """Clients of the two emulators for one project, with nothing in it."""

    def __init__(self, project: str) -> None:
        self.project = project
        self.buckets = Buckets(f"{project}-uploads", f"{project}-artifacts", ("http://127.0.0.1:8080",))
        self.publisher = pubsub_v1.PublisherClient()
        self.subscriber = pubsub_v1.SubscriberClient()
        self.storage = storage.Client(project=project)

    def wanted(self, backoff: Backoff = Backoff()) -> list[types.Subscription]:
        return list(wanted_subscriptions(self.project, backoff))

    def provision(self, backoff: Backoff = Backoff(), buckets: Buckets | None = None) -> list[str]:
        done = provision_topics(self.publisher, self.project)
        done += provision_subscriptions(self.subscriber, self.project, self.wanted(backoff))
        return done + provision_buckets(self.storage, self.project, buckets or self.buckets)

    def subscription(self, name: str) -> types.Subscription:
        return self.subscriber.get_subscription(request={"subscription": self.path("subscriptions", name)})

    def path(self, collection: str, name: str) -> str:
        return f"projects/{self.project}/{collection}/{name}"

    def close(self) -> None:
        self.publisher.stop()
        self.subscriber.close()
        self.storage.close()


@pytest.fixture(scope="module")
def hosts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    data = tmp_path_factory.mktemp("cloud")
    with (
        running("localcloud.pubsub", "--data-dir", data / "p", "--port", 0) as broker,
        running(
            "localcloud.storage",
            *("--data-dir", data / "s", "--port", 0),
            env={"PUBSUB_EMULATOR_HOST": (broker_host := f"127.0.0.1:{ready_line(broker)['port']}")},
        ) as bucket_server,
    ):
        storage_url = f"http://127.0.0.1:{ready_line(bucket_server)['port']}"
        yield {"PUBSUB_EMULATOR_HOST": broker_host, "STORAGE_EMULATOR_HOST": storage_url}


_numbers = itertools.count(1)


@pytest.fixture
def cloud(hosts: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    for name, value in hosts.items():
        monkeypatch.setenv(name, value)
    clients = Cloud(f"test-project-{next(_numbers)}")
    yield clients
    clients.close()


def test_makes_everything_the_topology_declares_and_only_once(cloud: Cloud) -> None:
    assert cloud.provision()
    assert cloud.provision() == []

    listed = cloud.publisher.list_topics(request={"project": f"projects/{cloud.project}"})
    assert {t.name.rpartition("/")[2] for t in listed} == set(topology.topics())
    for wanted in topology.SUBSCRIPTIONS:
        made = cloud.subscription(wanted.name)
        assert made.topic == f"projects/{cloud.project}/topics/{wanted.event.topic()}"
        assert made.filter == wanted.filter
        assert made.ack_deadline_seconds == wanted.ack_deadline_s
        assert made.retry_policy.minimum_backoff.total_seconds() == wanted.retry.min_backoff_s
        assert made.retry_policy.maximum_backoff.total_seconds() == wanted.retry.max_backoff_s
        assert not made.expiration_policy.ttl
        dead = made.dead_letter_policy
        if wanted.has_dead_letters:
            assert dead.dead_letter_topic == f"projects/{cloud.project}/topics/{topology.DEAD_LETTER_TOPIC}"
            assert dead.max_delivery_attempts == wanted.retry.max_deliveries
            assert cloud.subscription(wanted.dead_letter_hold).filter == wanted.dead_letter_filter
        else:
            assert not dead.dead_letter_topic


def test_an_object_is_announced_on_its_topic_once(cloud: Cloud) -> None:
    cloud.provision()
    cloud.provision()
    blob = cloud.storage.bucket(cloud.buckets.uploads).blob("user-1/a.txt")
    blob.upload_from_string(b"x", if_generation_match=0)
    pulled = cloud.subscriber.pull(
        request={
            "subscription": cloud.path("subscriptions", "upload-gateway.object.finalized.v1"),
            "max_messages": 10,
        },
        timeout=20,
    )
    assert [m.message.attributes["objectId"] for m in pulled.received_messages] == ["user-1/a.txt"]


def test_the_page_may_send_to_the_uploads_bucket(cloud: Cloud) -> None:
    cloud.provision()
    moved = Buckets(cloud.buckets.uploads, cloud.buckets.artifacts, ("http://127.0.0.1:9999",))
    assert cloud.provision(buckets=moved) == [f"set the CORS rules of {cloud.buckets.uploads}"]
    (rule,) = cloud.storage.get_bucket(cloud.buckets.uploads).cors
    assert rule["origin"] == ["http://127.0.0.1:9999"]
    assert list(cloud.storage.get_bucket(cloud.buckets.artifacts).cors) == []


def test_changed_settings_are_applied_in_place(cloud: Cloud) -> None:
    cloud.provision()
    name = topology.SUBSCRIPTIONS[0].name
    done = cloud.provision(Backoff(0.5, 2))
    assert f"updated retry_policy of subscription {name}" in done
    assert cloud.subscription(name).retry_policy.minimum_backoff.total_seconds() == 0.5
    assert cloud.subscription(name).retry_policy.maximum_backoff.total_seconds() == 2
    assert cloud.provision(Backoff(0.5, 2)) == []


def test_a_filter_that_cannot_be_changed_is_reported_and_nothing_else_is_touched(cloud: Cloud) -> None:
    cloud.provision()
    wanted = cloud.wanted(Backoff(1, 2))
    wanted[3] = types.Subscription(wanted[3], filter='attributes.new = "yes"')
    name = wanted[3].name.rpartition("/")[2]
    with pytest.raises(ImmutableDifferenceError, match=f"{name}: filter is '', the topology wants") as refused_change:
        provision_subscriptions(cloud.subscriber, cloud.project, wanted)
    assert "delete the subscription" in str(refused_change.value)
    assert cloud.provision() == []


def test_the_command_reports_an_immutable_difference_with_exit_code_2(cloud: Cloud) -> None:
    cloud.provision()
    name = topology.SUBSCRIPTIONS[0].name
    path = cloud.path("subscriptions", name)
    topic = cloud.path("topics", topology.DEAD_LETTER_TOPIC)
    cloud.subscriber.delete_subscription(request={"subscription": path})
    cloud.subscriber.create_subscription(request={"name": path, "topic": topic})
    arguments = ("--project", cloud.project, "--uploads-bucket", "u-b", "--artifacts-bucket", "a-b")
    assert f"{name}: topic is" in refused(main.__module__, *arguments)
