"""A broker that comes back empty with files in flight costs time, not files; what died is sent again."""

import json
import shutil
import uuid
from collections.abc import Iterator

import pytest
from google.cloud.pubsub_v1 import PublisherClient

from contracts.render import ROOT
from localcloud.samples import Sample
from mmsearch.operations import OperatorClient
from tests.faults.audit import assert_findable_exactly_once, assert_one_manifest_per_stage, feed, until_all_completed
from tests.pipeline.local_system import LocalSystem, wait_for

HASTE = {"SWEEP_AFTER_S": "3", "SWEEP_EVERY_S": "0.5"}


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalSystem]:
    running = LocalSystem(tmp_path_factory.mktemp("lost") / "data", **HASTE)
    running.start()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def operator(system: LocalSystem) -> Iterator[OperatorClient]:
    client = OperatorClient(system.url, system.variables["MMSEARCH_API_KEY"])
    with client:
        yield client


def test_everything_in_flight_is_carried_on_after_the_broker_lost_it(system: LocalSystem, files: list[Sample]) -> None:
    feed(system, files[:14])
    wait_for(lambda: sum(upload["status"] == "completed" for upload in system.uploads()) >= 2)
    system.stop()
    shutil.rmtree(system.data_dir / "pubsub")
    system.start()
    unfinished = [upload for upload in system.uploads() if upload["status"] != "completed"]
    assert unfinished, "nothing was in flight: the test proves nothing"
    uploads = until_all_completed(system, files[:14])
    assert_findable_exactly_once(system, files[:14])
    assert_one_manifest_per_stage(system, set(uploads.values()))


def test_a_letter_sent_again_reaches_where_it_died_and_nobody_else(
    system: LocalSystem, operator: OperatorClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A missing artifact is what died of; it is missing still, so the letter comes back."""
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", system.variables["PUBSUB_EMULATOR_HOST"])
    example = json.loads((ROOT / "contracts/examples/media.analyzed.v1.json").read_text())
    publisher = PublisherClient()
    topic = publisher.topic_path(system.variables["GOOGLE_CLOUD_PROJECT"], "media.analyzed.v1")
    attributes = {**example["attributes"], "ce-id": str(uuid.uuid4())}
    publisher.publish(topic, json.dumps(example["data"]).encode(), **attributes).result(timeout=10)
    publisher.stop()
    publisher.transport.close()
    heard_by_stages = "embedder.media.analyzed.v1"
    wait_for(lambda: operator.dead_letters(10).total == 2)
    [done] = operator.redrive(subscription=heard_by_stages)
    assert (len(done.redriven), done.remaining) == (1, 0)

    def back() -> bool:
        letters = {letter.subscription: letter for letter in operator.dead_letters(10).letters}
        return len(letters) == 2 and letters[heard_by_stages].deaths == 2

    wait_for(back)
    deaths = {letter.subscription: letter.deaths for letter in operator.dead_letters(10).letters}
    assert deaths == {heard_by_stages: 2, "search.media.analyzed.v1": 1}
