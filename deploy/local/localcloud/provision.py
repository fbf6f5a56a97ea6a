"""``python -m localcloud.provision``: ``contracts.topology`` into topics, subscriptions, buckets and notifications.

Uses the official clients against the emulators and changes only what differs, so it can run at every start.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from google.cloud import pubsub_v1, storage
from google.protobuf import duration_pb2, field_mask_pb2
from google.pubsub_v1 import types

from contracts import topology

_TIMEOUT_S = 20.0
_HOLD_RETENTION = timedelta(days=31)
_RETENTION = timedelta(days=7)
_MUTABLE = (
    "ack_deadline_seconds",
    "retry_policy",
    "dead_letter_policy",
    "expiration_policy",
    "message_retention_duration",
)
_IMMUTABLE = ("topic", "filter", "enable_message_ordering")
_REFUSED = 2


class ImmutableDifferenceError(Exception):
    """Existing subscriptions differ from the topology in ways that Pub/Sub cannot change; one line for each."""

    def __init__(self, differences: Sequence[str]) -> None:
        advice = "delete the subscription (its unread messages are lost) or start with a new data directory"
        super().__init__("\n".join((*differences, f"These settings cannot be changed in place: {advice}.")))


@dataclass(frozen=True)
class Backoff:
    """Replaces the topology's retry backoff where given; seconds. Test systems cannot wait ten minutes."""

    min_s: float | None = None
    max_s: float | None = None

    def policy(self, retry: topology.Retry) -> types.RetryPolicy:
        """The subscription's retry policy."""
        shortest = retry.min_backoff_s if self.min_s is None else self.min_s
        longest = retry.max_backoff_s if self.max_s is None else self.max_s
        return types.RetryPolicy(
            minimum_backoff=_duration(timedelta(seconds=shortest)),
            maximum_backoff=_duration(timedelta(seconds=longest)),
        )


@dataclass(frozen=True)
class Buckets:
    """The two buckets and the web pages that may send to the uploads bucket directly."""

    uploads: str
    artifacts: str
    web_origins: tuple[str, ...]


def wanted_subscriptions(
    project: str, backoff: Backoff, held_for: timedelta = _HOLD_RETENTION
) -> tuple[types.Subscription, ...]:
    """Every subscription of the topology, and the holds that keep their dead letters for so long."""
    return (
        *(_subscription(project, s, backoff) for s in topology.SUBSCRIPTIONS),
        *(_hold(project, s, held_for) for s in topology.SUBSCRIPTIONS if s.has_dead_letters),
    )


def provision_topics(publisher: pubsub_v1.PublisherClient, project: str) -> list[str]:
    """Creates the topics that are missing; says what it did."""
    listed = publisher.list_topics(request={"project": f"projects/{project}"}, timeout=_TIMEOUT_S)
    existing = {topic.name for topic in listed}
    created: list[str] = []
    for name in topology.topics():
        path = _topic_path(project, name)
        if path not in existing:
            publisher.create_topic(request={"name": path}, timeout=_TIMEOUT_S)
            created.append(f"created topic {name}")
    return created


def provision_subscriptions(
    subscriber: pubsub_v1.SubscriberClient, project: str, wanted: Sequence[types.Subscription]
) -> list[str]:
    """Creates or updates subscriptions; raises :class:`ImmutableDifferenceError` before it changes anything."""
    listed = subscriber.list_subscriptions(request={"project": f"projects/{project}"}, timeout=_TIMEOUT_S)
    existing = {subscription.name: subscription for subscription in listed}
    differences = [
        difference for want in wanted if want.name in existing for difference in _fixed(existing[want.name], want)
    ]
    if differences:
        raise ImmutableDifferenceError(differences)
    done: list[str] = []
    for want in wanted:
        short = _short(want.name)
        if want.name not in existing:
            subscriber.create_subscription(request=want, timeout=_TIMEOUT_S)
            done.append(f"created subscription {short}")
        elif changed := [name for name in _MUTABLE if getattr(existing[want.name], name) != getattr(want, name)]:
            mask = field_mask_pb2.FieldMask(paths=changed)
            subscriber.update_subscription(request={"subscription": want, "update_mask": mask}, timeout=_TIMEOUT_S)
            done.append(f"updated {', '.join(changed)} of subscription {short}")
    return done


def provision_buckets(client: storage.Client, project: str, buckets: Buckets) -> list[str]:
    """Creates the buckets, the CORS rules of the uploads bucket and its notifications; says what it did."""
    done: list[str] = []
    for name in (buckets.uploads, buckets.artifacts):
        if client.lookup_bucket(name) is None:
            client.create_bucket(name)
            done.append(f"created bucket {name}")
    bucket = client.get_bucket(buckets.uploads)
    rules = [_cors_rule(buckets.web_origins)]
    if list(bucket.cors) != rules:
        bucket.cors = rules
        bucket.patch()
        done.append(f"set the CORS rules of {buckets.uploads}")
    return done + _provision_notifications(bucket, project)


def _provision_notifications(bucket: storage.Bucket, project: str) -> list[str]:
    existing = {(n.topic_name, tuple(n.event_types or ()), n.payload_format) for n in bucket.list_notifications()}
    done: list[str] = []
    for wanted in topology.NOTIFICATIONS:
        key = (wanted.event.topic(), (wanted.event_type,), "JSON_API_V1")
        if key not in existing:
            bucket.notification(
                topic_name=key[0], topic_project=project, event_types=list(key[1]), payload_format=key[2]
            ).create()
            done.append(f"{wanted.event_type} in {bucket.name} now goes to {key[0]}")
    return done


def _subscription(project: str, wanted: topology.Subscription, backoff: Backoff) -> types.Subscription:
    return types.Subscription(
        name=_subscription_path(project, wanted.name),
        topic=_topic_path(project, wanted.event.topic()),
        filter=wanted.filter,
        ack_deadline_seconds=wanted.ack_deadline_s,
        retry_policy=backoff.policy(wanted.retry),
        dead_letter_policy=_dead_letters(project, wanted) if wanted.has_dead_letters else None,
        # An empty policy means never; leaving it out means after 31 days without a subscriber.
        expiration_policy=types.ExpirationPolicy(),
        message_retention_duration=_duration(_RETENTION),
    )


def _dead_letters(project: str, wanted: topology.Subscription) -> types.DeadLetterPolicy:
    return types.DeadLetterPolicy(
        dead_letter_topic=_topic_path(project, topology.DEAD_LETTER_TOPIC),
        max_delivery_attempts=wanted.retry.max_deliveries,
    )


def _hold(project: str, wanted: topology.Subscription, held_for: timedelta) -> types.Subscription:
    return types.Subscription(
        name=_subscription_path(project, wanted.dead_letter_hold),
        topic=_topic_path(project, topology.DEAD_LETTER_TOPIC),
        filter=wanted.dead_letter_filter,
        ack_deadline_seconds=60,
        expiration_policy=types.ExpirationPolicy(),
        message_retention_duration=_duration(held_for),
    )


def _fixed(existing: types.Subscription, wanted: types.Subscription) -> list[str]:
    return [
        f"{_short(wanted.name)}: {name} is {getattr(existing, name)!r}, the topology wants {getattr(wanted, name)!r}"
        for name in _IMMUTABLE
        if getattr(existing, name) != getattr(wanted, name)
    ]


def _cors_rule(origins: tuple[str, ...]) -> dict[str, object]:
    return {
        "origin": list(origins),
        "method": ["GET", "HEAD", "PUT", "POST", "OPTIONS"],
        "responseHeader": ["Content-Type", "Content-Range", "Range", "Location", "ETag", "X-Goog-Resumable"],
        "maxAgeSeconds": 3600,
    }


def _topic_path(project: str, topic: str) -> str:
    return f"projects/{project}/topics/{topic}"


def _subscription_path(project: str, name: str) -> str:
    return f"projects/{project}/subscriptions/{name}"


def _short(path: str) -> str:
    return path.rpartition("/")[2]


def _duration(value: timedelta) -> duration_pb2.Duration:
    duration = duration_pb2.Duration()
    duration.FromTimedelta(value)
    return duration


def main() -> int:
    """Provisions once; the exit code."""
    arguments = _parse()
    project: str = arguments.project
    wanted = wanted_subscriptions(project, Backoff(arguments.retry_min, arguments.retry_max))
    buckets = Buckets(arguments.uploads_bucket, arguments.artifacts_bucket, tuple(arguments.web_origin))
    publisher, subscriber = pubsub_v1.PublisherClient(), pubsub_v1.SubscriberClient()
    try:
        done = provision_topics(publisher, project)
        done += provision_subscriptions(subscriber, project, wanted)
        done += provision_buckets(storage.Client(project=project), project, buckets)
    except ImmutableDifferenceError as refused:
        sys.stderr.write(f"{refused}\n")
        return _REFUSED
    finally:
        publisher.stop()
        subscriber.close()
    sys.stdout.write("\n".join(done or ["everything is in place"]) + "\n")
    return 0


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="localcloud.provision", description="Topics, subscriptions and buckets.")
    parser.add_argument("--project", required=True)
    parser.add_argument("--uploads-bucket", required=True)
    parser.add_argument("--artifacts-bucket", required=True)
    parser.add_argument("--web-origin", action="append", default=[], help="may send to the uploads bucket (CORS)")
    parser.add_argument("--retry-min", type=float, help="seconds of backoff at first, instead of the topology's")
    parser.add_argument("--retry-max", type=float, help="seconds of backoff at most, instead of the topology's")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
