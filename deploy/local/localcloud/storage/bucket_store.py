"""Buckets and their notification configurations: rows in, rows out, conditions checked in the transaction."""

import json
import sqlite3
from typing import Any

from localcloud.storage.database import Database
from localcloud.storage.errors import StorageError, invalid, no_bucket
from localcloud.storage.model import Bucket, NotificationConfig, merge_patch, now_rfc3339
from localcloud.storage.preconditions import Preconditions

_MAX_NOTIFICATIONS = 100


def read_bucket(connection: sqlite3.Connection, name: str) -> Bucket:
    """The bucket, or 404."""
    row = connection.execute("SELECT * FROM buckets WHERE name = ?", (name,)).fetchone()
    if row is None:
        raise no_bucket(name)
    return _bucket(row)


class BucketStore:
    """Every operation on buckets. Blocking: call it from a thread."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(self, name: str, project: str, config: dict[str, Any]) -> Bucket:
        """A new bucket; 409 when the name is taken."""
        now = now_rfc3339()
        bucket = Bucket(name, project, 1, now, now, config)
        row = (name, project, 1, now, now, json.dumps(config))
        with self._database.write() as connection:
            try:
                connection.execute("INSERT INTO buckets VALUES (?, ?, ?, ?, ?, ?)", row)
            except sqlite3.IntegrityError:
                message = "Your previous request to create the named bucket succeeded and you already own it."
                raise StorageError(409, "conflict", message) from None
        return bucket

    def get(self, name: str, conditions: Preconditions) -> Bucket:
        """The bucket, or 404; its metageneration conditions answer 304 and 412."""
        with self._database.read() as connection:
            bucket = read_bucket(connection, name)
        conditions.check(None, bucket.metageneration, reading=True)
        return bucket

    def page(self, project: str, prefix: str, after: str, limit: int) -> list[Bucket]:
        """Up to `limit` buckets of the project whose names start with `prefix` and sort after `after`."""
        query = "SELECT * FROM buckets WHERE project = ? AND name > ? AND substr(name, 1, ?) = ? ORDER BY name LIMIT ?"
        with self._database.read() as connection:
            return [_bucket(row) for row in connection.execute(query, (project, after, len(prefix), prefix, limit))]

    def change(self, name: str, change: dict[str, Any], conditions: Preconditions, *, replace: bool) -> Bucket:
        """Patch the bucket's settable members, or replace them all."""
        with self._database.write() as connection:
            bucket = read_bucket(connection, name)
            conditions.check(None, bucket.metageneration)
            config = merge_patch({} if replace else bucket.config, change)
            changed = Bucket(name, bucket.project, bucket.metageneration + 1, bucket.created, now_rfc3339(), config)
            connection.execute(
                "UPDATE buckets SET metageneration = ?, updated = ?, config = ? WHERE name = ?",
                (changed.metageneration, changed.updated, json.dumps(config), name),
            )
        return changed

    def delete(self, name: str, conditions: Preconditions) -> None:
        """Delete an empty bucket; 409 when any version of any object is in it."""
        with self._database.write() as connection:
            bucket = read_bucket(connection, name)
            conditions.check(None, bucket.metageneration)
            if connection.execute("SELECT 1 FROM objects WHERE bucket = ? LIMIT 1", (name,)).fetchone():
                message = "The bucket you tried to delete is not empty."
                raise StorageError(409, "conflict", message, xml_code="BucketNotEmpty")
            connection.execute("DELETE FROM notifications WHERE bucket = ?", (name,))
            connection.execute("DELETE FROM buckets WHERE name = ?", (name,))

    def add_notification(self, bucket: str, config: NotificationConfig) -> int:
        """Store a configuration; its number, which is never used twice while others remain."""
        with self._database.write() as connection:
            read_bucket(connection, bucket)
            query = "SELECT count(*), coalesce(max(id), 0) FROM notifications WHERE bucket = ?"
            count, last = connection.execute(query, (bucket,)).fetchone()
            if count >= _MAX_NOTIFICATIONS:
                raise invalid(f"A bucket has at most {_MAX_NOTIFICATIONS} notification configurations.")
            row = (bucket, last + 1, config.model_dump_json())
            connection.execute("INSERT INTO notifications VALUES (?, ?, ?)", row)
        return int(last) + 1

    def notifications(self, bucket: str) -> list[tuple[int, NotificationConfig]]:
        """The bucket's configurations with their numbers."""
        with self._database.read() as connection:
            read_bucket(connection, bucket)
            query = "SELECT id, config FROM notifications WHERE bucket = ? ORDER BY id"
            rows = connection.execute(query, (bucket,)).fetchall()
        return [(row["id"], NotificationConfig.model_validate_json(row["config"])) for row in rows]

    def remove_notification(self, bucket: str, number: int) -> bool:
        """Delete a configuration; whether it was there."""
        with self._database.write() as connection:
            read_bucket(connection, bucket)
            query = "DELETE FROM notifications WHERE bucket = ? AND id = ?"
            return connection.execute(query, (bucket, number)).rowcount > 0


def _bucket(row: sqlite3.Row) -> Bucket:
    return Bucket(
        row["name"],
        row["project"],
        row["metageneration"],
        row["created"],
        row["updated"],
        json.loads(row["config"]),
    )
