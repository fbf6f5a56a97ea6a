"""``provision.py``: ``contracts.topology`` into Google's Pub/Sub emulator and fake-gcs-server; for Docker Compose.

The embedded cloud's own provisioning speaks to both as to Google; three things here need another way, told below.
"""

import os
import socket
import sys
import time
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import requests
from google.api_core.exceptions import AlreadyExists
from google.cloud import pubsub_v1  # noqa: TID251 - provisioning is administration, not eventing

from contracts import topology
from localcloud.provision import Backoff, wanted_subscriptions

_TIMEOUT_S = 20.0
_PATIENCE_S = 120.0
_LONGEST_RETENTION = timedelta(days=7)
"""The emulator (0.8.20) refuses more, though Google keeps messages for 31 days; over a restart it keeps none."""


def provision_events(project: str) -> None:
    """Topics and subscriptions, those that are missing: the emulator refuses some updates."""
    publisher, subscriber = pubsub_v1.PublisherClient(), pubsub_v1.SubscriberClient()
    with publisher, subscriber:
        for name in topology.topics():
            path = publisher.topic_path(project, name)
            _made(f"topic {name}", lambda path=path: publisher.create_topic(request={"name": path}, timeout=_TIMEOUT_S))
        for wanted in wanted_subscriptions(project, Backoff(), held_for=_LONGEST_RETENTION):
            _made(
                f"subscription {wanted.name}",
                lambda wanted=wanted: subscriber.create_subscription(request=wanted, timeout=_TIMEOUT_S),
            )


def provision_storage(server: str, project: str, uploads: str, artifacts: str) -> None:
    """Buckets, and the notifications of the first, in plain HTTP.

    The official client sends a topic's long name, which fake-gcs-server stores and then cannot publish to.
    """
    buckets = f"{server.rstrip('/')}/storage/v1/b"
    with requests.Session() as http:
        for bucket in (uploads, artifacts):
            answer = http.post(f"{buckets}?project={project}", json={"name": bucket}, timeout=_TIMEOUT_S)
            if answer.status_code != requests.codes.conflict:
                answer.raise_for_status()
        notifications = f"{buckets}/{uploads}/notificationConfigs"
        listed = http.get(notifications, timeout=_TIMEOUT_S)
        listed.raise_for_status()
        existing = _announced(listed.json().get("items") or [])
        for wanted in topology.NOTIFICATIONS:
            topic = f"projects/{project}/topics/{wanted.event.topic()}"
            if (topic, wanted.event_type) not in existing:
                body = {"topic": topic, "event_types": [wanted.event_type], "payload_format": "JSON_API_V1"}
                http.post(notifications, json=body, timeout=_TIMEOUT_S).raise_for_status()
                sys.stdout.write(f"{wanted.event_type} in {uploads} goes to {topic}\n")


def _announced(configs: Iterable[dict[str, Any]]) -> set[tuple[str, str]]:
    return {(config["topic"], kind) for config in configs for kind in config.get("event_types") or ()}


def _made(what: str, create: Callable[[], object]) -> None:
    try:
        create()
    except AlreadyExists:
        return
    sys.stdout.write(f"created {what}\n")


def _until_reachable(address: str) -> None:
    """Waits for a server that listens on ``host:port``; raises ``OSError`` when none comes."""
    host, _, port = address.rpartition(":")
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        try:
            socket.create_connection((host, int(port)), timeout=2).close()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.5)
        else:
            return


def main() -> int:
    """Provisions once; the exit code."""
    project, storage = os.environ["GOOGLE_CLOUD_PROJECT"], os.environ["STORAGE_EMULATOR_HOST"]
    _until_reachable(os.environ["PUBSUB_EMULATOR_HOST"])
    _until_reachable(urlsplit(storage).netloc)
    provision_events(project)
    provision_storage(storage, project, os.environ["UPLOADS_BUCKET"], os.environ["ARTIFACTS_BUCKET"])
    return 0


if __name__ == "__main__":
    sys.exit(main())
