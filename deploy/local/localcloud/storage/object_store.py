"""Operations on objects: each one checks its conditions, changes the rows and writes the announcements in
one transaction, then removes the bodies nobody names any more."""

import sqlite3
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO

from localcloud.storage.bodies import BLOCK_BYTES, BodyStore
from localcloud.storage.bucket_store import read_bucket
from localcloud.storage.database import Database
from localcloud.storage.errors import invalid, no_object
from localcloud.storage.model import Body, ObjectAttributes, StoredObject
from localcloud.storage.object_rows import ObjectKey, ObjectTransaction, find, find_or_404
from localcloud.storage.outbox import Outbox
from localcloud.storage.preconditions import Preconditions

_MAX_COMPOSE_SOURCES = 32


@dataclass(frozen=True)
class NewObject:
    """What is to become the live version of an object."""

    bucket: str
    name: str
    attributes: ObjectAttributes
    conditions: Preconditions


@dataclass(frozen=True)
class Source:
    """An existing version to copy or append, with the conditions on it."""

    key: ObjectKey
    conditions: Preconditions


class ObjectStore:
    """Every operation on objects. Blocking: call it from a thread."""

    def __init__(self, database: Database, bodies: BodyStore, outbox: Outbox) -> None:
        self._database = database
        self._bodies = bodies
        self._outbox = outbox

    def get(self, key: ObjectKey, conditions: Preconditions) -> StoredObject:
        """A version, or 404; conditions answer 304 and 412."""
        with self._database.read() as connection:
            read_bucket(connection, key.bucket)
            stored = find_or_404(connection, key)
        conditions.check(stored.generation, stored.metageneration, reading=True)
        return stored

    def open(self, key: ObjectKey, conditions: Preconditions) -> tuple[StoredObject, BinaryIO]:
        """A version and its bytes. Replaced between the two look-ups, the newer version is opened."""
        while True:
            stored = self.get(key, conditions)
            try:
                return stored, self._bodies.open(stored.body.body_id)
            except FileNotFoundError:
                if self.get(key, conditions).generation == stored.generation:
                    raise

    def check_target(self, new: NewObject) -> None:
        """Refuse early, before any byte is sent, what `insert` would refuse at the end."""
        with self._database.read() as connection:
            read_bucket(connection, new.bucket)
            _check_target(connection, new)

    def insert(self, new: NewObject, body: Body, upload_id: str | None = None) -> StoredObject:
        """Make a synced body the live version; `upload_id` is the session that ends with it."""
        with self._transaction() as transaction:
            bucket = read_bucket(transaction.connection, new.bucket)
            _check_target(transaction.connection, new)
            stored = transaction.add(bucket, new.name, body, new.attributes)
            if upload_id is not None:
                transaction.connection.execute(
                    "UPDATE uploads SET finished_generation = ? WHERE id = ?", (stored.generation, upload_id)
                )
        return stored

    def change(
        self, key: ObjectKey, conditions: Preconditions, change: dict[str, Any], *, replace: bool
    ) -> StoredObject:
        """Patch the writable members, or replace them all."""
        with self._transaction() as transaction:
            stored = find_or_404(transaction.connection, key)
            conditions.check(stored.generation, stored.metageneration)
            attributes = ObjectAttributes.parse(change) if replace else stored.attributes.patched(change)
            return transaction.set_attributes(stored, attributes)

    def delete(self, key: ObjectKey, conditions: Preconditions) -> None:
        """Delete the live version, or for good the version of the key's generation."""
        with self._transaction() as transaction:
            bucket = read_bucket(transaction.connection, key.bucket)
            stored = find_or_404(transaction.connection, key)
            conditions.check(stored.generation, stored.metageneration)
            if key.generation is None:
                transaction.retire(bucket, stored)
            else:
                transaction.remove(stored)

    def copy(
        self, source: Source, attributes: ObjectAttributes | None, target: ObjectKey, conditions: Preconditions
    ) -> StoredObject:
        """A new version of `target` that shares the source's body, with its attributes unless others are given."""
        with self._transaction() as transaction:
            original = _read_source(transaction.connection, source)
            kept = original.attributes if attributes is None else attributes
            bucket = read_bucket(transaction.connection, target.bucket)
            _check_target(transaction.connection, NewObject(target.bucket, target.name, kept, conditions))
            return transaction.add(bucket, target.name, original.body, kept)

    def move(self, source: Source, target_name: str, conditions: Preconditions) -> StoredObject:
        """Rename inside a bucket, at once."""
        if source.key.name == target_name:
            raise invalid("The source and destination objects of a move must differ.")
        with self._transaction() as transaction:
            bucket = read_bucket(transaction.connection, source.key.bucket)
            original = _read_source(transaction.connection, source)
            wanted = NewObject(bucket.name, target_name, original.attributes, conditions)
            _check_target(transaction.connection, wanted)
            moved = transaction.add(bucket, target_name, original.body, original.attributes)
            transaction.retire(bucket, original)
            return moved

    def compose(self, sources: Sequence[Source], new: NewObject) -> StoredObject:
        """Concatenate up to 32 versions of the bucket; the result has a CRC-32C and a component count, no MD5."""
        if not 1 <= len(sources) <= _MAX_COMPOSE_SOURCES:
            raise invalid(f"The number of source components must be between 1 and {_MAX_COMPOSE_SOURCES}.")
        self.check_target(new)
        writer = self._bodies.create()
        count = 0
        try:
            for source in sources:
                stored, file = self.open(source.key, Preconditions())
                with file:
                    source.conditions.check(stored.generation, stored.metageneration)
                    while block := file.read(BLOCK_BYTES):
                        writer.write(block)
                count += stored.body.component_count or 1
            writer.sync()
            body = Body(writer.body_id, writer.size, writer.checksum.crc32c, None, count)
            return self.insert(new, body)
        except BaseException:
            writer.discard()
            raise

    @contextmanager
    def _transaction(self) -> Generator[ObjectTransaction]:
        with self._database.write() as connection:
            transaction = ObjectTransaction(connection)
            yield transaction
            for change in transaction.changes:
                self._outbox.record(connection, change)
            unnamed = transaction.unnamed_bodies()
        for body_id in unnamed:
            self._bodies.remove(body_id)
        self._outbox.listener()


def _check_target(connection: sqlite3.Connection, new: NewObject) -> None:
    current = find(connection, ObjectKey(new.bucket, new.name))
    new.conditions.check(current and current.generation, current and current.metageneration)


def _read_source(connection: sqlite3.Connection, source: Source) -> StoredObject:
    read_bucket(connection, source.key.bucket)
    stored = find(connection, source.key)
    if stored is None:
        raise no_object(source.key.bucket, source.key.name)
    source.conditions.check(stored.generation, stored.metageneration)
    return stored
