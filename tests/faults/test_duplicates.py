"""Each event delivered three times and shuffled, and poison among them: every good file once, every bad one told."""

import json
import uuid
from collections.abc import Iterator

import pytest
from google.api_core.exceptions import DeadlineExceeded
from google.cloud.pubsub_v1 import PublisherClient, SubscriberClient

from contracts.artifacts import Service
from contracts.events import DeadLetterV1, MediaAnalyzedV1, MediaEmbeddedV1, MediaProcessedV1
from contracts.topology import SUBSCRIPTIONS, Subscription
from eventing.codec import DEAD_LETTER_REASON
from localcloud.samples import Sample
from tests.faults.audit import (
    assert_findable_exactly_once,
    assert_one_manifest_per_stage,
    feed,
    until_all_completed,
)
from tests.faults.conftest import set_faults
from tests.pipeline.local_system import LocalSystem, data_of, wait_for

GOLDEN = "contracts/examples"
READS_ARTIFACTS = (
    (Service.ANALYZER, MediaProcessedV1),
    (Service.EMBEDDER, MediaAnalyzedV1),
    (Service.SEARCH, MediaAnalyzedV1),
    (Service.SEARCH, MediaEmbeddedV1),
)


def test_events_three_times_and_shuffled_have_one_effect(system: LocalSystem, files: list[Sample]) -> None:
    # Every stage triples what reaches the next: 81 deliveries of a file's last event.
    chosen = files[40:46]
    set_faults(system, deliveries=3, max_delay=1.0)
    try:
        feed(system, chosen)
        uploads = until_all_completed(system, chosen)
    finally:
        set_faults(system)
    assert_findable_exactly_once(system, chosen)
    assert_one_manifest_per_stage(system, set(uploads.values()))


@pytest.fixture
def broker(system: LocalSystem, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[PublisherClient, SubscriberClient]]:
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", system.variables["PUBSUB_EMULATOR_HOST"])
    publisher, subscriber = PublisherClient(), SubscriberClient()
    yield publisher, subscriber
    publisher.stop()
    publisher.transport.close()
    subscriber.close()


def _dead_letters(system: LocalSystem, subscriber: SubscriberClient, subscription: Subscription) -> list[str]:
    """Reasons of the dead letters held for a subscription; they stay held."""
    path = subscriber.subscription_path(system.variables["GOOGLE_CLOUD_PROJECT"], subscription.dead_letter_hold)
    try:
        pulled = subscriber.pull(subscription=path, max_messages=100, timeout=2, retry=None)
    except DeadlineExceeded:
        return []
    if pulled.received_messages:
        ack_ids = [received.ack_id for received in pulled.received_messages]
        subscriber.modify_ack_deadline(subscription=path, ack_ids=ack_ids, ack_deadline_seconds=0)
    return [received.message.attributes.get(DEAD_LETTER_REASON, "") for received in pulled.received_messages]


def _publish(publisher: PublisherClient, system: LocalSystem, topic: str, data: bytes, **attributes: str) -> None:
    path = publisher.topic_path(system.variables["GOOGLE_CLOUD_PROJECT"], topic)
    publisher.publish(path, data, **attributes).result(timeout=10)


def test_poison_on_every_subscription_ends_in_its_dead_letter_with_the_reason(
    system: LocalSystem, broker: tuple[PublisherClient, SubscriberClient], files: list[Sample]
) -> None:
    publisher, subscriber = broker
    judged = [s for s in SUBSCRIPTIONS if s.event is not DeadLetterV1]
    for topic in {s.event.topic() for s in judged}:
        for stage in ("media-processor", "analyzer", "embedder"):
            _publish(publisher, system, topic, b"this is not JSON", **{"ce-fromstage": stage})
        versioned = {"ce-type": f"mmsearch.{topic[:-1]}9", "ce-id": str(uuid.uuid4()), "ce-fromstage": "analyzer"}
        _publish(publisher, system, topic, b"{}", **versioned)

    good = [system.upload(sample.path) for sample in files[52:56]]
    assert [answer.status_code for answer in good] == [202] * 4
    for subscription in judged:
        reasons = wait_for(lambda s=subscription: _dead_letters(system, subscriber, s), 60)
        assert any("is not" in reason or "is missing" in reason for reason in reasons), (subscription.name, reasons)
    until_all_completed(system, files[52:56])
    assert_findable_exactly_once(system, files[52:56])


def test_an_event_whose_artifact_is_missing_is_told_apart(
    system: LocalSystem, broker: tuple[PublisherClient, SubscriberClient]
) -> None:
    publisher, subscriber = broker
    for _, event in READS_ARTIFACTS:
        example = json.loads((system_root() / f"{event.topic()}.json").read_text())
        example["data"]["upload"]["generation"] += 1_000_000
        attributes = {**example["attributes"], "ce-id": str(uuid.uuid4())}
        _publish(publisher, system, event.topic(), json.dumps(example["data"]).encode(), **attributes)
    for service, event in READS_ARTIFACTS:
        subscription = next(s for s in SUBSCRIPTIONS if s.service is service and s.event is event)
        wait_for(lambda s=subscription: any("is not there" in r for r in _dead_letters(system, subscriber, s)), 60)


def test_a_poisoned_upload_is_visibly_failed(
    system: LocalSystem, broker: tuple[PublisherClient, SubscriberClient], files: list[Sample]
) -> None:
    upload_id = data_of(system.upload(files[57].path))["upload_id"]
    system.until_final(upload_id)
    publisher, _ = broker
    with system.http() as http:
        metadata = data_of(http.get(f"/api/v1/file/{upload_id}/metadata"))
    assert metadata["upload_id"] == upload_id
    blob = next(b for b in system.bucket().list_blobs(prefix=f"{system.variables['MMSEARCH_USER_ID']}/{upload_id}/"))
    example = json.loads((system_root() / "media.processed.v1.json").read_text())
    example["data"]["upload"] |= {
        "upload_id": upload_id,
        "user_id": system.variables["MMSEARCH_USER_ID"],
        "bucket": blob.bucket.name,
        "object_name": blob.name,
        "generation": blob.generation,
        "run": 1,
    }
    attributes = {**example["attributes"], "ce-id": str(uuid.uuid4())}
    _publish(publisher, system, "media.processed.v1", json.dumps(example["data"]).encode(), **attributes)
    failed = wait_for(lambda: (s := system.status(upload_id))["status"] == "failed" and s, 60)
    assert failed["error"]["code"] == "internal"
    assert failed["error"]["advice"]


def system_root():
    from contracts.render import ROOT  # noqa: PLC0415

    return ROOT / GOLDEN
