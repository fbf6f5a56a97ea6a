"""Resumable uploads: a session on disk takes ranges of bytes in order, promises only what is synced, and
ends as an object; it outlives broken connections and kill -9 of the service."""

import json
import secrets
import sqlite3
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass

from localcloud.storage.bodies import BodyStore, BodyWriter
from localcloud.storage.checksums import ExpectedChecksums
from localcloud.storage.database import Database
from localcloud.storage.errors import StorageError, invalid
from localcloud.storage.model import ObjectAttributes, StoredObject
from localcloud.storage.object_rows import ObjectKey
from localcloud.storage.object_store import NewObject, ObjectStore
from localcloud.storage.preconditions import Preconditions

# Google's: a session lives a week and persists multiples of 256 KiB until its last chunk.
SESSION_SECONDS = 7 * 24 * 3600
GRANULE_BYTES = 256 * 1024
# How much a kill can cost inside one long request.
_CHECKPOINT_BYTES = 32 * 1024 * 1024


@dataclass(frozen=True)
class UploadRequest:
    """What the start of a session fixed. ``size`` where X-Upload-Content-Length announced it."""

    new: NewObject
    expected: ExpectedChecksums
    origin: str | None = None
    size: int | None = None

    def check_size(self, size: int) -> None:
        """400 when the object would have another size than was announced."""
        if self.size is not None and size != self.size:
            raise invalid(f"The upload has {size} bytes; its session was opened for {self.size}.")

    def to_json(self) -> str:
        """As kept in the session's row."""
        return json.dumps(
            {
                "attributes": self.new.attributes.resource(),
                "conditions": asdict(self.new.conditions),
                "expected": asdict(self.expected),
                "origin": self.origin,
                "size": self.size,
            }
        )

    @classmethod
    def from_row(cls, row: sqlite3.Row) -> "UploadRequest":
        """Of a session's row."""
        kept = json.loads(row["request"])
        attributes = ObjectAttributes.model_validate(kept["attributes"])
        new = NewObject(row["bucket"], row["name"], attributes, Preconditions(**kept["conditions"]))
        return cls(new, ExpectedChecksums(**kept["expected"]), kept["origin"], kept.get("size"))


class UploadSession:
    """One session in memory. Only one request at a time may hold it (`UploadStore.hold`)."""

    def __init__(self, upload_id: str, request: UploadRequest, writer: BodyWriter | None, finished: int | None) -> None:
        self.upload_id = upload_id
        self.request = request
        self.finished_generation = finished
        self._writer = writer
        self._synced = 0 if writer is None else writer.size

    @property
    def writer(self) -> BodyWriter:
        """Where the bytes go; a finished session has none."""
        if self._writer is None:
            raise invalid("The upload is already complete.")
        return self._writer

    @property
    def persisted(self) -> int:
        """Bytes received in whole granules."""
        return self.writer.size

    def due_for_checkpoint(self) -> bool:
        """Whether enough arrived to make it durable in the middle of a request."""
        return self.persisted - self._synced >= _CHECKPOINT_BYTES

    def synced(self) -> None:
        """Note that everything received is durable."""
        self._synced = self.persisted

    def release(self) -> None:
        """Close the file."""
        if self._writer is not None:
            self._writer.close()

    def finished(self, generation: int) -> None:
        """Note that the session became an object."""
        self.finished_generation = generation
        self._writer = None


class UploadStore:
    """Sessions by their id. Blocking: call it from a thread."""

    def __init__(
        self,
        database: Database,
        bodies: BodyStore,
        objects: ObjectStore,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._database = database
        self._bodies = bodies
        self._objects = objects
        self._clock = clock
        self._loaded: dict[str, UploadSession] = {}
        self._loading = threading.Lock()

    def start(self, request: UploadRequest) -> UploadSession:
        """A new session; refused at once when its conditions do not hold already."""
        self._objects.check_target(request.new)
        writer = self._bodies.create()
        upload_id = secrets.token_urlsafe(32)
        row = (
            upload_id,
            request.new.bucket,
            request.new.name,
            writer.body_id,
            0,
            request.to_json(),
            self._clock() + SESSION_SECONDS,
            None,
        )
        with self._database.write() as connection:
            connection.execute("INSERT INTO uploads VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
        session = UploadSession(upload_id, request, writer, None)
        with self._loading:
            self._loaded[upload_id] = session
        return session

    def load(self, upload_id: str) -> UploadSession:
        """The session: 404 when unknown or cancelled, 410 when expired."""
        with self._loading:
            row = self._row(upload_id)
            if row["expires"] < self._clock():
                self._forget(row)
                raise StorageError(410, "gone", "The upload session has expired.", xml_code="NoSuchUpload")
            session = self._loaded.get(upload_id)
            if session is None:
                finished = row["finished_generation"]
                writer = None if finished else self._bodies.resume(row["body_id"], row["persisted"])
                session = UploadSession(upload_id, UploadRequest.from_row(row), writer, finished)
                if not finished:
                    self._loaded[upload_id] = session
            return session

    def checkpoint(self, session: UploadSession) -> None:
        """Make what was received durable; only then may it be promised."""
        session.writer.sync()
        with self._database.write() as connection:
            connection.execute("UPDATE uploads SET persisted = ? WHERE id = ?", (session.persisted, session.upload_id))
        session.synced()

    def finish(self, session: UploadSession, expected: ExpectedChecksums) -> StoredObject:
        """Turn the session into the object; a refusal ends the session and leaves nothing behind."""
        writer = session.writer
        try:
            session.request.check_size(writer.size)
            expected.over(session.request.expected).verify(writer.checksum)
            writer.sync()
            stored = self._objects.insert(session.request.new, writer.body(), session.upload_id)
        except StorageError:
            self.cancel(session)
            raise
        session.finished(stored.generation)
        self.unload(session)
        return stored

    def result(self, session: UploadSession) -> StoredObject:
        """The object a finished session became; 404 when that version is gone."""
        new = session.request.new
        return self._objects.get(ObjectKey(new.bucket, new.name, session.finished_generation), Preconditions())

    def cancel(self, session: UploadSession) -> None:
        """Forget the session and its bytes; the object of a finished one stays."""
        with self._loading:
            self._forget(self._row(session.upload_id))

    def unload(self, session: UploadSession) -> None:
        """Drop what memory says about the session, so that the next request goes by the disk."""
        session.release()
        with self._loading:
            self._loaded.pop(session.upload_id, None)

    def expire(self) -> int:
        """Forget every expired session; how many."""
        with self._loading:
            with self._database.read() as connection:
                query = "SELECT * FROM uploads WHERE expires < ?"
                rows = connection.execute(query, (self._clock(),)).fetchall()
            for row in rows:
                self._forget(row)
        return len(rows)

    def _row(self, upload_id: str) -> sqlite3.Row:
        with self._database.read() as connection:
            row = connection.execute("SELECT * FROM uploads WHERE id = ?", (upload_id,)).fetchone()
        if row is None:
            message = "No such upload session: it never was, or was cancelled."
            raise StorageError(404, "notFound", message, xml_code="NoSuchUpload")
        return row

    def _forget(self, row: sqlite3.Row) -> None:
        with self._database.write() as connection:
            connection.execute("DELETE FROM uploads WHERE id = ?", (row["id"],))
        session = self._loaded.pop(row["id"], None)
        if row["finished_generation"] is None:
            if session is not None and session.finished_generation is None:
                session.writer.discard()
            self._bodies.remove(row["body_id"])
