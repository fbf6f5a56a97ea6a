"""Topics and subscriptions: created, read, changed, listed in pages, deleted, with the service's refusals."""

from datetime import timedelta

import pytest
from google.api_core import exceptions
from google.pubsub_v1 import types

from tests.conformance.pubsub_emulator.cloud import PROJECT, Cloud


def test_topic_lives_and_dies(cloud: Cloud) -> None:
    name = cloud.topic(labels={"team": "a"})
    topic = cloud.publisher.get_topic(topic=name)
    assert (topic.name, dict(topic.labels)) == (name, {"team": "a"})
    with pytest.raises(exceptions.AlreadyExists):
        cloud.publisher.create_topic(name=name, retry=None)
    cloud.publisher.delete_topic(topic=name)
    for call in (cloud.publisher.get_topic, cloud.publisher.delete_topic):
        with pytest.raises(exceptions.NotFound):
            call(topic=name, retry=None)


@pytest.mark.parametrize(
    "name",
    [
        "topics/x",
        "projects/conformance-1/topics/",
        "projects/conformance-1/topics/ab",
        "projects/conformance-1/topics/1abc",
        "projects/conformance-1/topics/googabc",
        "projects/conformance-1/topics/a b c",
        "projects/conformance-1/topics/" + "a" * 256,
        "projects/conformance-1/subscriptions/abc",
    ],
)
def test_bad_topic_names_are_invalid(cloud: Cloud, name: str) -> None:
    with pytest.raises(exceptions.InvalidArgument):
        cloud.publisher.create_topic(name=name, retry=None)


@pytest.mark.parametrize("identifier", ["media.processed.v1", "a-b_c.d~e+f%20", "a" * 255])
def test_good_topic_names(cloud: Cloud, identifier: str) -> None:
    name = f"{PROJECT}-{cloud.name('topics')[-6:]}/topics/{identifier}"
    cloud.publisher.create_topic(name=name, retry=None)
    assert cloud.publisher.get_topic(topic=name).name == name
    cloud.publisher.delete_topic(topic=name)


def test_update_topic_changes_only_the_mask(cloud: Cloud) -> None:
    name = cloud.topic(labels={"a": "1"})
    update = {"topic": {"name": name, "labels": {"b": "2"}}, "update_mask": {"paths": ["labels"]}}
    assert dict(cloud.publisher.update_topic(request=update, retry=None).labels) == {"b": "2"}
    assert dict(cloud.publisher.get_topic(topic=name).labels) == {"b": "2"}
    for paths in ([], ["name"], ["nonsense"]):
        with pytest.raises(exceptions.InvalidArgument):
            cloud.publisher.update_topic(request={"topic": {"name": name}, "update_mask": {"paths": paths}}, retry=None)


def test_lists_come_in_pages(cloud: Cloud) -> None:
    project = f"{PROJECT}-{cloud.name('topics')[-6:]}"
    topics = [cloud.topic(project=project) for _ in range(7)]
    subscriptions = [cloud.subscription(topics[0]) for _ in range(5)]
    pager = cloud.publisher.list_topics(request={"project": project, "page_size": 3})
    pages = [[topic.name for topic in page.topics] for page in pager.pages]
    assert sorted(name for page in pages for name in page) == sorted(topics)
    assert max(len(page) for page in pages) == 3
    attached = cloud.publisher.list_topic_subscriptions(request={"topic": topics[0], "page_size": 2})
    assert sorted(attached) == sorted(subscriptions)
    every = {s.name for s in cloud.subscriber.list_subscriptions(request={"project": PROJECT, "page_size": 2})}
    assert every >= set(subscriptions)
    assert list(cloud.publisher.list_topic_snapshots(topic=topics[0])) == []
    with pytest.raises(exceptions.InvalidArgument):
        cloud.publisher.list_topics(request={"project": project, "page_token": "?"}, retry=None)


def test_subscription_gets_the_defaults(cloud: Cloud) -> None:
    topic = cloud.topic()
    name = cloud.subscription(
        topic, dead_letter_policy={"dead_letter_topic": cloud.topic()}, retry_policy={}, filter="attributes:a"
    )
    settings = cloud.subscriber.get_subscription(subscription=name)
    assert settings.topic == topic
    assert settings.ack_deadline_seconds == 10
    assert settings.message_retention_duration == timedelta(days=7)
    assert settings.expiration_policy.ttl == timedelta(days=31)
    assert settings.dead_letter_policy.max_delivery_attempts == 5
    assert settings.retry_policy.minimum_backoff == timedelta(seconds=10)
    assert settings.retry_policy.maximum_backoff == timedelta(seconds=600)
    assert settings.filter == "attributes:a"
    assert settings.state == types.Subscription.State.ACTIVE


@pytest.mark.parametrize(
    "settings",
    [
        {"ack_deadline_seconds": 9},
        {"ack_deadline_seconds": 601},
        {"message_retention_duration": timedelta(minutes=9)},
        {"message_retention_duration": timedelta(days=32)},
        {"retry_policy": {"minimum_backoff": timedelta(seconds=20), "maximum_backoff": timedelta(seconds=10)}},
        {"retry_policy": {"maximum_backoff": timedelta(seconds=601)}},
        {"filter": "attributes:a AND attributes:b OR attributes:c"},
        {"filter": 'attributes.a = "' + "x" * 256 + '"'},
        {"push_config": {"push_endpoint": "not a url"}},
    ],
)
def test_bad_settings_are_invalid(cloud: Cloud, settings: dict[str, object]) -> None:
    with pytest.raises(exceptions.InvalidArgument):
        cloud.subscription(cloud.topic(), **settings)


@pytest.mark.parametrize("attempts", [4, 101])
def test_bad_dead_letter_policy_is_invalid(cloud: Cloud, attempts: int) -> None:
    policy = {"dead_letter_topic": cloud.topic(), "max_delivery_attempts": attempts}
    with pytest.raises(exceptions.InvalidArgument):
        cloud.subscription(cloud.topic(), dead_letter_policy=policy)


def test_missing_topics_and_second_subscriptions_are_refused(cloud: Cloud) -> None:
    topic = cloud.topic()
    with pytest.raises(exceptions.NotFound):
        cloud.subscription(cloud.name("topics"))
    with pytest.raises(exceptions.NotFound):
        cloud.subscription(topic, dead_letter_policy={"dead_letter_topic": cloud.name("topics")})
    name = cloud.subscription(topic)
    with pytest.raises(exceptions.AlreadyExists):
        cloud.subscriber.create_subscription(name=name, topic=topic, retry=None)


def test_update_subscription_by_mask(cloud: Cloud) -> None:
    name = cloud.subscription(cloud.topic(), labels={"a": "1"}, retry_policy={})
    update = types.Subscription(
        name=name,
        ack_deadline_seconds=60,
        labels={"never": "used"},
        retry_policy={"minimum_backoff": timedelta(seconds=1)},
    )
    paths = ["ack_deadline_seconds", "retry_policy.minimum_backoff"]
    cloud.subscriber.update_subscription(subscription=update, update_mask={"paths": paths}, retry=None)
    settings = cloud.subscriber.get_subscription(subscription=name)
    assert settings.ack_deadline_seconds == 60
    assert settings.retry_policy.minimum_backoff == timedelta(seconds=1)
    assert settings.retry_policy.maximum_backoff == timedelta(seconds=600)
    assert dict(settings.labels) == {"a": "1"}
    clear = {"subscription": {"name": name}, "update_mask": {"paths": ["retry_policy"]}}
    assert "retry_policy" not in cloud.subscriber.update_subscription(request=clear, retry=None)


@pytest.mark.parametrize("paths", [[], ["filter"], ["topic"], ["enable_message_ordering"], ["x"], ["retry_policy.x"]])
def test_immutable_and_unknown_fields_cannot_be_updated(cloud: Cloud, paths: list[str]) -> None:
    update = {"subscription": {"name": cloud.subscription(cloud.topic())}, "update_mask": {"paths": paths}}
    with pytest.raises(exceptions.InvalidArgument):
        cloud.subscriber.update_subscription(request=update, retry=None)


def test_a_refused_update_changes_nothing(cloud: Cloud) -> None:
    name = cloud.subscription(cloud.topic())
    update = {
        "subscription": {"name": name, "ack_deadline_seconds": 5, "labels": {"a": "1"}},
        "update_mask": {"paths": ["labels", "ack_deadline_seconds"]},
    }
    with pytest.raises(exceptions.InvalidArgument):
        cloud.subscriber.update_subscription(request=update, retry=None)
    assert dict(cloud.subscriber.get_subscription(subscription=name).labels) == {}


def test_deleted_topic_leaves_its_subscriptions(cloud: Cloud) -> None:
    topic = cloud.topic()
    subscription = cloud.subscription(topic)
    cloud.publish(topic, b"kept")
    cloud.publisher.delete_topic(topic=topic)
    assert cloud.subscriber.get_subscription(subscription=subscription).topic == "_deleted-topic_"
    [message] = cloud.pull(subscription, 1)
    assert message.message.data == b"kept"
    cloud.publisher.create_topic(name=topic, retry=None)
    cloud.publish(topic, b"not for the old one")
    assert cloud.pull_once(subscription) == []


def test_deleted_subscription_is_gone(cloud: Cloud) -> None:
    topic = cloud.topic()
    name = cloud.subscription(topic)
    cloud.subscriber.delete_subscription(subscription=name)
    assert list(cloud.publisher.list_topic_subscriptions(topic=topic)) == []
    for call in (cloud.subscriber.get_subscription, cloud.subscriber.delete_subscription):
        with pytest.raises(exceptions.NotFound):
            call(subscription=name, retry=None)
    with pytest.raises(exceptions.NotFound):
        cloud.subscriber.pull(subscription=name, max_messages=1, timeout=5, retry=None)
    with pytest.raises(exceptions.NotFound):
        cloud.subscriber.acknowledge(subscription=name, ack_ids=["1-1-1"], retry=None)


def test_detached_subscription_delivers_nothing(cloud: Cloud) -> None:
    topic = cloud.topic()
    name = cloud.subscription(topic)
    cloud.publish(topic, b"dropped")
    cloud.publisher.detach_subscription(request={"subscription": name}, retry=None)
    assert cloud.subscriber.get_subscription(subscription=name).detached
    with pytest.raises(exceptions.FailedPrecondition):
        cloud.subscriber.pull(subscription=name, max_messages=1, timeout=5, retry=None)
    assert list(cloud.publisher.list_topic_subscriptions(topic=topic)) == []


def test_snapshots_are_clearly_unsupported(cloud: Cloud) -> None:
    name = cloud.subscription(cloud.topic())
    snapshot = name.replace("subscriptions", "snapshots")
    with pytest.raises(exceptions.MethodNotImplemented):
        cloud.subscriber.create_snapshot(name=snapshot, subscription=name, retry=None)
    with pytest.raises(exceptions.MethodNotImplemented):
        cloud.subscriber.seek(request={"subscription": name, "snapshot": snapshot}, retry=None)
