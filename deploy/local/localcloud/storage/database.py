"""The metadata database: opens SQLite durable (WAL, synchronous FULL) and lends one writer and one reader
connection, each to one thread at a time."""

import sqlite3
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

_SCHEMA = """
CREATE TABLE IF NOT EXISTS buckets (
  name TEXT PRIMARY KEY, project TEXT NOT NULL, metageneration INTEGER NOT NULL,
  created TEXT NOT NULL, updated TEXT NOT NULL, config TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS objects (
  bucket TEXT NOT NULL, name TEXT NOT NULL, generation INTEGER NOT NULL, metageneration INTEGER NOT NULL,
  body_id TEXT NOT NULL, size INTEGER NOT NULL, crc32c TEXT NOT NULL, md5 TEXT, component_count INTEGER,
  created TEXT NOT NULL, updated TEXT NOT NULL, deleted TEXT, attributes TEXT NOT NULL,
  PRIMARY KEY (bucket, name, generation)
) WITHOUT ROWID;
CREATE UNIQUE INDEX IF NOT EXISTS live_objects ON objects (bucket, name) WHERE deleted IS NULL;
CREATE INDEX IF NOT EXISTS objects_by_body ON objects (body_id);
CREATE TABLE IF NOT EXISTS generations (only INTEGER PRIMARY KEY CHECK (only = 1), last INTEGER NOT NULL);
INSERT OR IGNORE INTO generations VALUES (1, 0);
CREATE TABLE IF NOT EXISTS notifications (
  bucket TEXT NOT NULL, id INTEGER NOT NULL, config TEXT NOT NULL, PRIMARY KEY (bucket, id)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS outbox (
  id INTEGER PRIMARY KEY AUTOINCREMENT, topic TEXT NOT NULL, attributes TEXT NOT NULL, data BLOB NOT NULL,
  created REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS uploads (
  id TEXT PRIMARY KEY, bucket TEXT NOT NULL, name TEXT NOT NULL, body_id TEXT NOT NULL,
  persisted INTEGER NOT NULL, request TEXT NOT NULL, expires REAL NOT NULL, finished_generation INTEGER
) WITHOUT ROWID;
"""


class Database:
    """SQLite at `path`. Methods block: call them from a thread, never from the event loop."""

    def __init__(self, path: Path) -> None:
        self._writer = _open(path)
        self._writer.executescript(_SCHEMA)
        self._reader = _open(path)
        self._writing = threading.Lock()
        self._reading = threading.Lock()

    @contextmanager
    def write(self) -> Generator[sqlite3.Connection]:
        """One transaction: on disk when the block ends, undone when it raises."""
        with self._writing:
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield self._writer
            except BaseException:
                self._writer.execute("ROLLBACK")
                raise
            self._writer.execute("COMMIT")

    @contextmanager
    def read(self) -> Generator[sqlite3.Connection]:
        """A consistent snapshot."""
        with self._reading:
            self._reader.execute("BEGIN")
            try:
                yield self._reader
            finally:
                self._reader.execute("COMMIT")

    def close(self) -> None:
        """Close both connections; call it when no thread uses them any more."""
        with self._reading, self._writing:
            self._reader.close()
            self._writer.close()


def _open(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    return connection
