"""A bucket's objects into pages of items and common prefixes, in UTF-8 order, without reading what a
delimiter folds away."""

import base64
import binascii
import sqlite3
from dataclasses import dataclass, field

from localcloud.storage.bucket_store import read_bucket
from localcloud.storage.database import Database
from localcloud.storage.errors import invalid
from localcloud.storage.model import StoredObject
from localcloud.storage.names import after_prefix
from localcloud.storage.object_rows import to_object


@dataclass(frozen=True)
class ListingRequest:
    """What of a bucket to list; `start` is inclusive, `end` exclusive, empty for open."""

    bucket: str
    prefix: str = ""
    delimiter: str = ""
    start: str = ""
    end: str = ""
    versions: bool = False
    include_trailing_delimiter: bool = False
    limit: int = 1000
    page_token: str = ""


@dataclass
class Page:
    """Items and prefixes together are at most the limit; `next_token` is empty on the last page."""

    items: list[StoredObject] = field(default_factory=list[StoredObject])
    prefixes: list[str] = field(default_factory=list[str])
    next_token: str = ""


@dataclass(frozen=True, order=True)
class _Position:
    name: str
    generation: int = 0


def list_objects(database: Database, request: ListingRequest) -> Page:
    """One page; 404 when the bucket does not exist. Blocking."""
    with database.read() as connection:
        read_bucket(connection, request.bucket)
        return _fill(connection, request)


def _fill(connection: sqlite3.Connection, request: ListingRequest) -> Page:
    page = Page()
    at: _Position | None = _first(request)
    while at is not None and not page.next_token:
        at = _scan(connection, request, at, page)
    return page


def _scan(connection: sqlite3.Connection, request: ListingRequest, at: _Position, page: Page) -> _Position | None:
    """Add rows from `at` on until the page is full or a prefix folds; where to go on after the prefix."""
    for row in _rows(connection, request, at):
        if not _in_range(row["name"], request):
            return None
        folded = _common_prefix(row["name"], request)
        if len(page.items) + len(page.prefixes) >= request.limit:
            page.next_token = _encode(
                _Position(row["name"], row["generation"]) if folded is None else _Position(folded)
            )
            return None
        if folded is None:
            page.items.append(to_object(row))
            continue
        page.prefixes.append(folded)
        if request.include_trailing_delimiter and row["name"] == folded:
            page.items.append(to_object(row))
        following = after_prefix(folded)
        return None if following is None else _Position(following)
    return None


def _first(request: ListingRequest) -> _Position:
    begin = max(request.prefix, request.start)
    return max(_decode(request.page_token), _Position(begin)) if request.page_token else _Position(begin)


def _rows(connection: sqlite3.Connection, request: ListingRequest, at: _Position) -> sqlite3.Cursor:
    live = "" if request.versions else " AND deleted IS NULL"
    query = (
        "SELECT * FROM objects WHERE bucket = ? AND (name, generation) >= (?, ?)"  # noqa: S608 - no outside text
        f"{live} ORDER BY name, generation"
    )
    return connection.execute(query, (request.bucket, at.name, at.generation))


def _in_range(name: str, request: ListingRequest) -> bool:
    return name.startswith(request.prefix) and (not request.end or name < request.end)


def _common_prefix(name: str, request: ListingRequest) -> str | None:
    if not request.delimiter:
        return None
    cut = name.find(request.delimiter, len(request.prefix))
    return None if cut < 0 else name[: cut + len(request.delimiter)]


def _encode(position: _Position) -> str:
    return base64.urlsafe_b64encode(f"{position.generation}/{position.name}".encode()).decode()


def _decode(token: str) -> _Position:
    try:
        generation, _, name = base64.urlsafe_b64decode(token).decode().partition("/")
        return _Position(name, int(generation))
    except (binascii.Error, ValueError):
        raise invalid(f"Invalid page token: '{token}'") from None
