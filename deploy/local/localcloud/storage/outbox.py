"""Changes of objects into Pub/Sub messages that are written in the transaction of the change, and taken
from there by the relay."""

import json
import sqlite3
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass

from localcloud.storage.database import Database
from localcloud.storage.model import NotificationConfig, StoredObject, now_rfc3339
from localcloud.storage.resources import Resources

# As long as Google keeps trying to deliver.
RETENTION_SECONDS = 7 * 24 * 3600


@dataclass(frozen=True)
class ObjectChange:
    """One thing that happened to one generation; at most one of the other generations is known."""

    event_type: str
    stored: StoredObject
    overwrote: int | None = None
    overwritten_by: int | None = None


@dataclass(frozen=True)
class Announcement:
    """A message not yet accepted by the broker."""

    number: int
    topic: str
    attributes: dict[str, str]
    data: bytes


class Outbox:
    """Announcements on disk; `listener` is called, from any thread, after new ones became durable."""

    def __init__(self, database: Database, resources: Resources) -> None:
        self._database = database
        self._resources = resources
        self.listener: Callable[[], object] = lambda: None

    def record(self, connection: sqlite3.Connection, change: ObjectChange) -> None:
        """Write, inside the caller's transaction, one announcement for every configuration that wants it."""
        stored = change.stored
        rows = connection.execute("SELECT id, config FROM notifications WHERE bucket = ?", (stored.bucket,))
        for row in rows.fetchall():
            config = NotificationConfig.model_validate_json(row["config"])
            if not config.wants(change.event_type, stored.name):
                continue
            attributes = _attributes(change, config, row["id"])
            wanted = config.payload_format == "JSON_API_V1"
            data = json.dumps(self._resources.object(stored)).encode() if wanted else b""
            connection.execute(
                "INSERT INTO outbox (topic, attributes, data, created) VALUES (?, ?, ?, ?)",
                (config.topic_path, json.dumps(attributes), data, time.time()),
            )

    def pending(self, limit: int, *, except_topics: Collection[str]) -> list[Announcement]:
        """The oldest announcements, those for `except_topics` left out."""
        query = (
            "SELECT id, topic, attributes, data FROM outbox"
            " WHERE topic NOT IN (SELECT value FROM json_each(?)) ORDER BY id LIMIT ?"
        )
        with self._database.read() as connection:
            rows = connection.execute(query, (json.dumps(list(except_topics)), limit)).fetchall()
        return [Announcement(row["id"], row["topic"], json.loads(row["attributes"]), row["data"]) for row in rows]

    def remove(self, numbers: Collection[int]) -> None:
        """Forget announcements the broker has accepted."""
        with self._database.write() as connection:
            connection.executemany("DELETE FROM outbox WHERE id = ?", [(number,) for number in numbers])

    def expire(self) -> int:
        """Give up announcements older than seven days, as Google does; how many."""
        with self._database.write() as connection:
            oldest = time.time() - RETENTION_SECONDS
            return connection.execute("DELETE FROM outbox WHERE created < ?", (oldest,)).rowcount


def _attributes(change: ObjectChange, config: NotificationConfig, number: int) -> dict[str, str]:
    stored = change.stored
    attributes = {
        **config.custom_attributes,
        "notificationConfig": f"projects/_/buckets/{stored.bucket}/notificationConfigs/{number}",
        "eventType": change.event_type,
        "payloadFormat": config.payload_format,
        "bucketId": stored.bucket,
        "objectId": stored.name,
        "objectGeneration": str(stored.generation),
        "eventTime": now_rfc3339(),
    }
    if change.overwrote is not None:
        attributes["overwroteGeneration"] = str(change.overwrote)
    if change.overwritten_by is not None:
        attributes["overwrittenByGeneration"] = str(change.overwritten_by)
    return attributes
