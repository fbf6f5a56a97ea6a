"""Pieces of traces into a file of bounded size: the newest traces stay, requests never push uploads out."""

import sqlite3
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from localcloud.traces.intake import Piece

_SCHEMA = """
CREATE TABLE IF NOT EXISTS traces (
  trace_id BLOB PRIMARY KEY, first_ns INTEGER NOT NULL, last_ns INTEGER NOT NULL, spans INTEGER NOT NULL,
  errors INTEGER NOT NULL, root TEXT, services TEXT NOT NULL, upload_id TEXT, carries_events INTEGER NOT NULL,
  bytes INTEGER NOT NULL, heard_at REAL NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS traces_by_age ON traces (carries_events, first_ns);
CREATE TABLE IF NOT EXISTS pieces (id INTEGER PRIMARY KEY, trace_id BLOB NOT NULL, body BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS pieces_by_trace ON pieces (trace_id);
"""
_MERGE = """
INSERT INTO traces VALUES (:trace_id, :first, :last, :spans, :errors, :root, :services, :upload, :events, :bytes, :now)
ON CONFLICT (trace_id) DO UPDATE SET
  first_ns = min(first_ns, excluded.first_ns), last_ns = max(last_ns, excluded.last_ns),
  spans = spans + excluded.spans, errors = errors + excluded.errors, root = coalesce(root, excluded.root),
  services = :services, upload_id = coalesce(upload_id, excluded.upload_id),
  carries_events = max(carries_events, excluded.carries_events), bytes = bytes + excluded.bytes, heard_at = :now
"""
_SUMMARY = "trace_id, first_ns, last_ns, spans, errors, root, services, upload_id"


@dataclass(frozen=True)
class Bounds:
    """What is kept: so many traces that carry events, so many of single requests, for so long, in so many bytes."""

    event_traces: int = 2000
    request_traces: int = 500
    age_s: float = 24 * 3600
    total_bytes: int = 200 * 1024 * 1024
    trace_bytes: int = 8 * 1024 * 1024
    prune_every_s: float = 30


@dataclass(frozen=True)
class Summary:
    """One line of the list of traces."""

    trace_id: str
    first_ns: int
    last_ns: int
    spans: int
    errors: int
    root: str | None
    services: tuple[str, ...]
    upload_id: str | None


class TraceStore:
    """SQLite at ``path``; methods block and may be called from any thread. ``clock`` returns seconds since 1970.

    Traces are a convenience: a crash of the machine may lose the last ones, never more.
    """

    def __init__(self, path: Path, bounds: Bounds | None = None, clock: Callable[[], float] = time.time) -> None:
        self._bounds = bounds or Bounds()
        self._clock = clock
        self._using = threading.Lock()
        self._pruned_at = 0.0
        path.parent.mkdir(parents=True, exist_ok=True)
        self._database = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._database.executescript("PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL;")
        self._database.executescript("PRAGMA synchronous = NORMAL; PRAGMA cache_size = -2000;" + _SCHEMA)

    def close(self) -> None:
        """Closes the file."""
        with self._using:
            self._database.close()

    def add(self, pieces: Iterable[Piece]) -> None:
        """Keeps the pieces; all of a request or nothing."""
        with self._using:
            self._database.execute("BEGIN IMMEDIATE")
            try:
                for piece in pieces:
                    self._add(piece)
                if self._clock() - self._pruned_at > self._bounds.prune_every_s:
                    self._prune()
            except BaseException:
                self._database.execute("ROLLBACK")
                raise
            self._database.execute("COMMIT")

    def bodies(self, trace_id: str) -> list[bytes]:
        """The serialized ``ResourceSpans`` of a trace in the order they came; none when it is not known."""
        with self._using:
            query = "SELECT body FROM pieces WHERE trace_id = ? ORDER BY id"
            return [row[0] for row in self._database.execute(query, (bytes.fromhex(trace_id),))]

    def recent(self, limit: int, *, only_events: bool = False) -> list[Summary]:
        """The newest traces first."""
        with self._using:
            query = f"SELECT {_SUMMARY} FROM traces WHERE carries_events >= ? ORDER BY first_ns DESC LIMIT ?"  # noqa: S608 - constants
            rows = self._database.execute(query, (int(only_events), limit)).fetchall()
        return [_summary(*row) for row in rows]

    def _add(self, piece: Piece) -> None:
        row = self._database.execute(
            "SELECT services, bytes FROM traces WHERE trace_id = ?", (piece.trace_id,)
        ).fetchone()
        known, held = (set(row[0].split(",")), row[1]) if row else (set[str](), 0)
        size = sum(map(len, piece.bodies))
        if held + size > self._bounds.trace_bytes:
            return
        self._database.execute(
            _MERGE,
            {
                "trace_id": piece.trace_id, "first": piece.first_ns, "last": piece.last_ns, "spans": piece.spans,
                "errors": piece.errors, "root": piece.root, "services": ",".join(sorted(known | piece.services)),
                "upload": piece.upload_id, "events": int(piece.carries_events), "bytes": size, "now": self._clock(),
            },
        )  # fmt: skip
        self._database.executemany(
            "INSERT INTO pieces (trace_id, body) VALUES (?, ?)", [(piece.trace_id, body) for body in piece.bodies]
        )

    def _prune(self) -> None:
        self._pruned_at = self._clock()
        bounds = self._bounds
        forgotten = [row[0] for row in self._database.execute(_OLD, (self._pruned_at - bounds.age_s,))]
        for events, most in ((1, bounds.event_traces), (0, bounds.request_traces)):
            forgotten += [row[0] for row in self._database.execute(_BEYOND, (events, most))]
        forgotten += [row[0] for row in self._database.execute(_OVERSIZE, (bounds.total_bytes,))]
        for trace_id in set(forgotten):
            self._database.execute("DELETE FROM pieces WHERE trace_id = ?", (trace_id,))
            self._database.execute("DELETE FROM traces WHERE trace_id = ?", (trace_id,))
        if forgotten:
            with closing(self._database.execute("PRAGMA incremental_vacuum")) as freeing:
                freeing.fetchall()


def _summary(
    trace_id: bytes,
    first_ns: int,
    last_ns: int,
    spans: int,
    errors: int,
    root: str | None,
    services: str,
    upload_id: str | None,
) -> Summary:
    return Summary(trace_id.hex(), first_ns, last_ns, spans, errors, root, tuple(services.split(",")), upload_id)


_OLD = "SELECT trace_id FROM traces WHERE heard_at < ?"
_BEYOND = "SELECT trace_id FROM traces WHERE carries_events = ? ORDER BY first_ns DESC LIMIT -1 OFFSET ?"
_OVERSIZE = """
SELECT trace_id FROM (SELECT trace_id, sum(bytes) OVER (ORDER BY first_ns DESC, trace_id) AS newer FROM traces)
WHERE newer > ?
"""
