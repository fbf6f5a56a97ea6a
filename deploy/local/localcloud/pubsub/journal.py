"""The disk: batches of changes go into SQLite in one writer thread, many batches to one commit.

``submit`` resolves when its batch is durable (WAL, synchronous=FULL); ``defer`` rides with the next commit.
"""

import asyncio
import contextlib
import queue
import sqlite3
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from localcloud.pubsub.changes import Batch
from localcloud.pubsub.errors import OverloadedError, UnavailableError
from localcloud.pubsub.schema import SCHEMA

_DEFER_SECONDS = 0.1
_MOST_PENDING_BYTES = 128 * 1024 * 1024
_MOST_BATCHES_A_COMMIT = 1000

_Job = tuple[Batch, asyncio.Future[None]]


class Journal:
    """The only user of the database file after start; all methods are called on the event loop."""

    def __init__(self, path: Path, on_failure: Callable[[BaseException], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._path = path
        self._on_failure = on_failure
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._deferred = Batch()
        self._flush: asyncio.TimerHandle | None = None
        self._pending_bytes = 0
        self._failed = False
        self._reader = ThreadPoolExecutor(1, "journal-reader")
        self._reading: sqlite3.Connection | None = None
        self._writer = threading.Thread(target=self._write_all, name="journal-writer", daemon=True)
        self._writer.start()

    def submit(self, batch: Batch) -> asyncio.Future[None]:
        """Make a batch durable, after everything deferred before it. Raises OverloadedError, UnavailableError."""
        if self._failed:
            raise UnavailableError("The emulator's disk refused a write; it is stopping.")
        if batch.size and self._pending_bytes + batch.size > _MOST_PENDING_BYTES:
            raise OverloadedError("Too many bytes are waiting for the disk.")
        done = self._loop.create_future()
        self._pending_bytes += batch.size
        if self._deferred:
            batch = self._take_deferred().then(batch)
        self._jobs.put((batch, done))
        return done

    def defer(self, batch: Batch) -> None:
        """Write a batch soon; a crash within 0.1 s may lose it."""
        self._deferred.then(batch)
        if self._flush is None and not self._failed:
            self._flush = self._loop.call_later(_DEFER_SECONDS, self._flush_deferred)

    async def read_bodies(self, message_ids: Sequence[int]) -> dict[int, bytes]:
        """The stored bodies of those of these messages that still exist."""
        return await self._loop.run_in_executor(self._reader, self._read, message_ids)

    async def close(self) -> None:
        """Write what was deferred and release the file."""
        if not self._failed:
            self._flush_deferred()
        self._jobs.put(None)
        await self._loop.run_in_executor(self._reader, self._close_reading)
        await asyncio.to_thread(self._writer.join)
        self._reader.shutdown()

    def _take_deferred(self) -> Batch:
        if self._flush is not None:
            self._flush.cancel()
            self._flush = None
        batch, self._deferred = self._deferred, Batch()
        return batch

    def _flush_deferred(self) -> None:
        batch = self._take_deferred()
        if batch and not self._failed:
            self._jobs.put((batch, self._loop.create_future()))

    def _read(self, message_ids: Sequence[int]) -> dict[int, bytes]:
        if self._reading is None:
            self._reading = sqlite3.connect(f"{self._path.as_uri()}?mode=ro", uri=True)
        found: dict[int, bytes] = {}
        for message_id in message_ids:
            row = self._reading.execute("SELECT body FROM messages WHERE id = ?", (message_id,)).fetchone()
            if row is not None:
                found[message_id] = row[0]
        return found

    def _close_reading(self) -> None:
        if self._reading is not None:
            self._reading.close()

    def _write_all(self) -> None:
        failure: sqlite3.Error | None = None
        with contextlib.closing(open_database(self._path)) as database:
            while (job := self._jobs.get()) is not None:
                jobs = [job]
                ends = False
                while len(jobs) < _MOST_BATCHES_A_COMMIT and not self._jobs.empty():
                    following = self._jobs.get()
                    if following is None:
                        ends = True
                        break
                    jobs.append(following)
                # After one refusal nothing more is written: later changes may rest on the lost ones.
                failure = failure or _commit(database, [batch for batch, _ in jobs])
                self._report(jobs, failure)
                if ends:
                    break

    def _report(self, jobs: Iterable[_Job], failure: sqlite3.Error | None) -> None:
        # The loop may be closing when a last, unawaited batch is done.
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._resolve, jobs, failure)

    def _resolve(self, jobs: Iterable[_Job], failure: sqlite3.Error | None) -> None:
        for batch, done in jobs:
            self._pending_bytes -= batch.size
            if done.cancelled():
                continue
            if failure is None:
                done.set_result(None)
            else:
                done.set_exception(UnavailableError(f"The emulator's disk refused a write: {failure}"))
                done.exception()
        if failure is not None and not self._failed:
            self._failed = True
            self._on_failure(failure)


def open_database(path: Path) -> sqlite3.Connection:
    """The database with its tables, durable at every commit; transactions are explicit."""
    database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("PRAGMA synchronous=FULL")
    database.execute("PRAGMA journal_size_limit=67108864")
    database.executescript(SCHEMA)
    return database


def _commit(database: sqlite3.Connection, batches: Iterable[Batch]) -> sqlite3.Error | None:
    try:
        database.execute("BEGIN IMMEDIATE")
        for batch in batches:
            for statement, rows in batch.statements:
                database.executemany(statement, rows)
        database.execute("COMMIT")
    except sqlite3.Error as failure:
        with contextlib.suppress(sqlite3.Error):
            database.execute("ROLLBACK")
        return failure
    return None
