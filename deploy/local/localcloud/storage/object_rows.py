"""Object versions as rows: finds, adds and retires them inside one transaction, and remembers which
changes to announce and which bodies nobody names any more."""

import sqlite3
import time
from dataclasses import dataclass, field, replace

from localcloud.storage.errors import no_object
from localcloud.storage.model import Body, Bucket, ObjectAttributes, StoredObject, now_rfc3339
from localcloud.storage.outbox import ObjectChange


@dataclass(frozen=True)
class ObjectKey:
    """An object, or with `generation` one version of it."""

    bucket: str
    name: str
    generation: int | None = None


def to_object(row: sqlite3.Row) -> StoredObject:
    """A row of ``objects`` typed."""
    body = Body(row["body_id"], row["size"], row["crc32c"], row["md5"], row["component_count"])
    return StoredObject(
        row["bucket"],
        row["name"],
        row["generation"],
        row["metageneration"],
        body,
        row["created"],
        row["updated"],
        row["deleted"],
        ObjectAttributes.model_validate_json(row["attributes"]),
    )


def find(connection: sqlite3.Connection, key: ObjectKey) -> StoredObject | None:
    """The live version, or the one of the key's generation; None when there is none."""
    if key.generation is None:
        query = "SELECT * FROM objects WHERE bucket = ? AND name = ? AND deleted IS NULL"
        row = connection.execute(query, (key.bucket, key.name)).fetchone()
    else:
        query = "SELECT * FROM objects WHERE bucket = ? AND name = ? AND generation = ?"
        row = connection.execute(query, (key.bucket, key.name, key.generation)).fetchone()
    return None if row is None else to_object(row)


def find_or_404(connection: sqlite3.Connection, key: ObjectKey) -> StoredObject:
    """As `find`, but 404 when there is none."""
    stored = find(connection, key)
    if stored is None:
        raise no_object(key.bucket, key.name)
    return stored


@dataclass
class ObjectTransaction:
    """The changes one transaction makes to objects."""

    connection: sqlite3.Connection
    changes: list[ObjectChange] = field(default_factory=list[ObjectChange])
    _retired: set[str] = field(default_factory=set[str])

    def add(self, bucket: Bucket, name: str, body: Body, attributes: ObjectAttributes) -> StoredObject:
        """A new live version; the one it replaces is retired."""
        current = find(self.connection, ObjectKey(bucket.name, name))
        now = now_rfc3339()
        stored = StoredObject(bucket.name, name, self._next_generation(), 1, body, now, now, None, attributes)
        overwrote = None if current is None else current.generation
        if current is not None:
            self.retire(bucket, current, by=stored.generation)
        self._insert(stored)
        self.changes.insert(0, ObjectChange("OBJECT_FINALIZE", stored, overwrote=overwrote))
        return stored

    def retire(self, bucket: Bucket, stored: StoredObject, by: int | None = None) -> None:
        """End a live version: kept as noncurrent where the bucket keeps versions, removed elsewhere."""
        if not bucket.versioned:
            self.remove(stored, by)
            return
        archived = replace(stored, deleted=now_rfc3339())
        self.connection.execute(
            "UPDATE objects SET deleted = ? WHERE bucket = ? AND name = ? AND generation = ?",
            (archived.deleted, stored.bucket, stored.name, stored.generation),
        )
        self.changes.append(ObjectChange("OBJECT_ARCHIVE", archived, overwritten_by=by))

    def remove(self, stored: StoredObject, by: int | None = None) -> None:
        """Remove a version for good."""
        self.connection.execute(
            "DELETE FROM objects WHERE bucket = ? AND name = ? AND generation = ?",
            (stored.bucket, stored.name, stored.generation),
        )
        self._retired.add(stored.body.body_id)
        self.changes.append(ObjectChange("OBJECT_DELETE", stored, overwritten_by=by))

    def set_attributes(self, stored: StoredObject, attributes: ObjectAttributes) -> StoredObject:
        """Replace what the client may write; one metageneration further."""
        changed = replace(
            stored, metageneration=stored.metageneration + 1, updated=now_rfc3339(), attributes=attributes
        )
        self.connection.execute(
            "UPDATE objects SET metageneration = ?, updated = ?, attributes = ?"
            " WHERE bucket = ? AND name = ? AND generation = ?",
            (
                changed.metageneration,
                changed.updated,
                attributes.model_dump_json(by_alias=True, exclude_none=True),
                stored.bucket,
                stored.name,
                stored.generation,
            ),
        )
        self.changes.append(ObjectChange("OBJECT_METADATA_UPDATE", changed))
        return changed

    def unnamed_bodies(self) -> list[str]:
        """Bodies of removed versions which no version names any more (copies share a body)."""
        query = "SELECT 1 FROM objects WHERE body_id = ? LIMIT 1"
        return [body for body in self._retired if self.connection.execute(query, (body,)).fetchone() is None]

    def _next_generation(self) -> int:
        (last,) = self.connection.execute("SELECT last FROM generations").fetchone()
        generation = max(time.time_ns() // 1000, last + 1)
        self.connection.execute("UPDATE generations SET last = ?", (generation,))
        return generation

    def _insert(self, stored: StoredObject) -> None:
        body = stored.body
        self.connection.execute(
            "INSERT INTO objects VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                stored.bucket,
                stored.name,
                stored.generation,
                stored.metageneration,
                body.body_id,
                body.size,
                body.crc32c,
                body.md5,
                body.component_count,
                stored.created,
                stored.updated,
                stored.deleted,
                stored.attributes.model_dump_json(by_alias=True, exclude_none=True),
            ),
        )
