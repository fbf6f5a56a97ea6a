"""kill -9 of every service, the embedded cloud and Postgres while 40 files are in flight: nothing lost or doubled."""

import threading
import time

from localcloud.samples import Sample
from tests.faults.audit import (
    assert_findable_exactly_once,
    assert_one_manifest_per_stage,
    feed,
    persistent,
    until_all_completed,
)
from tests.pipeline.local_system import LocalSystem

VICTIMS = (
    "media-processor",
    "analyzer",
    "pubsub",
    "embedder",
    "search",
    "storage",
    "upload-gateway",
    "postgres",
    "router",
)


def test_every_process_may_be_killed_while_files_are_in_flight(system: LocalSystem, files: list[Sample]) -> None:
    in_flight = files[:40]
    feeding = threading.Thread(target=feed, args=(system, in_flight))
    feeding.start()
    for victim in VICTIMS:
        time.sleep(1.5)
        system.kill(victim)
    feeding.join(timeout=100)
    assert not feeding.is_alive()
    uploads = until_all_completed(system, in_flight)
    persistent(lambda: assert_findable_exactly_once(system, in_flight))
    assert_one_manifest_per_stage(system, set(uploads.values()))
