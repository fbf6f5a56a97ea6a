"""``python -m tests.contracts.recording``: a real run's messages, as published, into ``recorded/<version>/``.

Run once per released version and commit; ``tests/integration/upgrade`` replays every recording through today's code.
"""

import base64
import json
import os
import sys
import tempfile
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from google.api_core.exceptions import DeadlineExceeded
from google.cloud.pubsub_v1 import PublisherClient, SubscriberClient

from contracts.topology import topics
from tests.pipeline.local_system import LocalSystem, data_of, wait_for

RECORDED = Path(__file__).parent / "recorded"
_TEXT = "The lighthouse keeper of Skerryvore wrote every night about the weather and the ships that passed.\n"


class Recorder:
    """Hears every topic of a running system from here on."""

    def __init__(self, system: LocalSystem) -> None:
        os.environ["PUBSUB_EMULATOR_HOST"] = system.variables["PUBSUB_EMULATOR_HOST"]
        self._project = system.variables["GOOGLE_CLOUD_PROJECT"]
        self._subscriber = SubscriberClient()
        for topic in topics():
            self._subscriber.create_subscription(
                name=self._path(topic), topic=f"projects/{self._project}/topics/{topic}"
            )

    def heard(self, topic: str) -> list[dict[str, Any]]:
        """All of a topic so far, in the order of arrival."""
        found: list[dict[str, Any]] = []
        while True:
            try:
                pulled = self._subscriber.pull(subscription=self._path(topic), max_messages=100, timeout=2, retry=None)
            except DeadlineExceeded:
                return found
            if not pulled.received_messages:
                return found
            ids = [received.ack_id for received in pulled.received_messages]
            self._subscriber.acknowledge(subscription=self._path(topic), ack_ids=ids)
            for received in pulled.received_messages:
                message = received.message
                found.append({"attributes": dict(message.attributes), "data": message.data.decode()})

    def close(self) -> None:
        self._subscriber.close()

    def _path(self, topic: str) -> str:
        return f"projects/{self._project}/subscriptions/recorder.{topic}"


def record(system: LocalSystem, directory: Path, work: Path) -> None:
    """Plays the scenes and writes what was heard, and every object the messages speak of."""
    recorder = Recorder(system)
    objects: dict[str, dict[str, Any]] = {}
    _play(system, work, lambda: _keep_objects(system, objects))
    directory.mkdir(parents=True, exist_ok=True)
    for topic in topics():
        heard = recorder.heard(topic)
        assert heard, f"nothing was heard on {topic}"
        _write(directory / f"{topic}.json", heard)
    _write(directory / "objects.json", list(objects.values()))
    recorder.close()


def _play(system: LocalSystem, work: Path, keep_objects: Callable[[], None]) -> None:
    """A file posted, one dropped, run again and overwritten, one unreadable, a deletion of each kind, a key, poison."""
    user = system.variables["MMSEARCH_USER_ID"]
    posted = work / "keeper.txt"
    posted.write_text(_TEXT * 4)
    upload_id = data_of(system.upload(posted))["upload_id"]
    system.drop(f"{user}/drops/page.md", f"# Skerryvore\n\n{_TEXT * 3}".encode(), "text/markdown")
    system.drop(f"{user}/drops/broken.jpg", b"\xff\xd8\xff\xe0 no picture", "image/jpeg")
    wait_for(lambda: _finished(system) == 3)
    keep_objects()
    with system.http() as http:
        http.post(f"/api/v1/process/{upload_id}", params={"from_stage": "analyzer"}).raise_for_status()
        http.post("/api/v1/users/me/api-keys", json={"name": "recorded"}).raise_for_status()
        system.until_final(upload_id)
        keep_objects()
        system.drop(f"{user}/drops/page.md", b"# Another page\n\nAbout gannets.\n", "text/markdown")
        wait_for(lambda: _finished(system) == 3)
        keep_objects()
        http.delete(f"/api/v1/upload/{upload_id}").raise_for_status()
    system.bucket().blob(f"{user}/drops/page.md").delete()
    publisher = PublisherClient()
    topic = publisher.topic_path(system.variables["GOOGLE_CLOUD_PROJECT"], "media.indexed.v1")
    publisher.publish(topic, b"{}", **{"ce-id": "poison", "ce-type": "mmsearch.media.indexed.v9"}).result(timeout=10)
    publisher.stop()
    publisher.transport.close()
    wait_for(lambda: not [u for u in system.uploads() if u["status"] != "failed"])


def _finished(system: LocalSystem) -> int:
    return sum(upload["status"] in ("completed", "failed") for upload in system.uploads())


def _keep_objects(system: LocalSystem, objects: dict[str, dict[str, Any]]) -> None:
    """All but manifests: the present code has to do the work, not to remember it."""
    for name in ("UPLOADS_BUCKET", "ARTIFACTS_BUCKET"):
        for blob in system.bucket(name).list_blobs():
            if blob.name is None or blob.name.endswith("manifest.json"):
                continue
            key = f"{blob.bucket.name}/{blob.name}#{blob.generation}"
            objects[key] = {
                "bucket": blob.bucket.name,
                "key": blob.name,
                "generation": blob.generation,
                "media_type": blob.content_type,
                "base64": base64.b64encode(blob.download_as_bytes()).decode(),
            }


def _write(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n")


def main() -> int:
    work = Path(tempfile.mkdtemp(prefix="mmsearch-recording-"))
    system = LocalSystem(work / "data")
    system.start()
    try:
        record(system, RECORDED / version("mmsearch"), work)
    finally:
        system.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
