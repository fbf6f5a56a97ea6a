"""The port to object storage: what a service may do with objects, and the errors that say why not."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol


class ObjectStoreError(Exception):
    """Base of what the store raises on purpose."""


class StoreUnavailableError(ObjectStoreError, ConnectionError):
    """The storage service could not be reached, or answered that it is overloaded."""


class ObjectNotFoundError(ObjectStoreError):
    """No such object, or not in that generation."""


class ObjectTooLargeError(ObjectStoreError):
    """The object, as it is read, has more bytes than were asked for at most."""


class ObjectUndecodableError(ObjectStoreError):
    """The object's bytes are not what its ``Content-Encoding`` says: they can never be read."""


class ObjectExistsError(ObjectStoreError):
    """A create-only write found the object there already."""


@dataclass(frozen=True)
class StoredObject:
    """What the store knows of one object version.

    ``size_bytes`` counts the stored bytes; an object stored with ``Content-Encoding: gzip`` is read unpacked.
    """

    bucket: str
    key: str
    generation: int
    size_bytes: int
    media_type: str | None
    created_at: datetime
    metadata: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True)
class StreamDigest:
    """What is known of a stream when its last byte has been read and nothing is visible yet."""

    sha256: str
    size_bytes: int


SESSION_LIFE = timedelta(days=7)
"""How long the storage service keeps an upload session open (Cloud Storage: one week)."""

CHUNK_MULTIPLE = 256 * 1024
"""Bytes sent to an upload session come in multiples of this, except for its last request (Cloud Storage's rule)."""


@dataclass(frozen=True)
class NewObject:
    """What is fixed of an object before its first byte: whoever sends the bytes can change nothing of it."""

    bucket: str
    key: str
    size_bytes: int
    media_type: str
    metadata: Mapping[str, str] = field(default_factory=dict[str, str])


BeforeCommit = Callable[[StreamDigest], Awaitable[None]]
"""Called with the digest before an object becomes visible; raising means it never does."""


class ObjectStore(Protocol):
    """Every write is create-only (``if_generation_match=0``): a lost response can never write twice."""

    async def put(
        self, bucket: str, key: str, content: bytes | Path, media_type: str, metadata: Mapping[str, str] | None = None
    ) -> StoredObject:
        """Creates an object. Raises ``ObjectExistsError``."""
        ...

    async def put_stream(
        self,
        bucket: str,
        key: str,
        chunks: AsyncIterator[bytes],
        media_type: str,
        metadata: Mapping[str, str],
        before_commit: BeforeCommit,
    ) -> StoredObject:
        """Creates an object from a stream, holding at most a few chunks in memory.

        Raises ``ObjectExistsError``, and whatever ``chunks`` or ``before_commit`` raise (then nothing is created).
        """
        ...

    async def open_session(self, new: NewObject, origin: str | None = None) -> str:
        """A URL to which anybody may send the bytes of one new object, in pieces, for :data:`SESSION_LIFE`.

        Browsers may only do so from pages of ``origin``, exactly as their Origin header says it. The object becomes
        visible with the last byte, if there is none of its name. Raises ``ObjectExistsError``.
        """
        ...

    async def cancel_session(self, url: str) -> None:
        """Nothing can be sent to the session any more; one that has ended is fine."""
        ...

    async def get(self, bucket: str, key: str) -> bytes:
        """A small object's bytes. Raises ``ObjectNotFoundError``, ``ObjectUndecodableError``."""
        ...

    async def download(self, bucket: str, key: str, path: Path, max_bytes: int, generation: int | None = None) -> None:
        """Streams an object to a file of at most ``max_bytes``.

        Raises ``ObjectNotFoundError``, ``ObjectUndecodableError``, and ``ObjectTooLargeError`` as soon as there is a
        byte too many.
        """
        ...

    async def stat(self, bucket: str, key: str) -> StoredObject:
        """What is known of the live version. Raises ``ObjectNotFoundError``."""
        ...

    async def list_page(self, bucket: str, after: str = "", limit: int = 1000) -> list[StoredObject]:
        """The next live objects after that name, in the order of UTF-8 bytes; fewer than ``limit`` at the end."""
        ...

    async def delete(self, bucket: str, key: str, generation: int | None = None) -> None:
        """Removes the live version, if it is still ``generation``; an object that is not there is fine."""
        ...

    async def delete_prefix(self, bucket: str, prefix: str) -> int:
        """Removes every object whose name starts with ``prefix``; returns how many."""
        ...

    async def signed_url(
        self, bucket: str, key: str, expires: timedelta, *, filename: str | None = None, media_type: str | None = None
    ) -> str:
        """A V4 signed URL for GET; with ``filename`` the browser saves instead of showing."""
        ...
