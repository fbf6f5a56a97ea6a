"""An object store in a dictionary, for tests of handlers and routes; passes the same suite as Cloud Storage."""

import gzip
import hashlib
import itertools
import zlib
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from objectstore.store import (
    BeforeCommit,
    NewObject,
    ObjectExistsError,
    ObjectNotFoundError,
    ObjectTooLargeError,
    ObjectUndecodableError,
    StoredObject,
    StreamDigest,
)


class MemoryObjectStore:
    """An :class:`objectstore.store.ObjectStore` that forgets everything with the process."""

    def __init__(self) -> None:
        self._objects: dict[tuple[str, str], tuple[StoredObject, bytes | None]] = {}
        self._generations = itertools.count(1)
        self._sessions: dict[str, tuple[NewObject, str | None]] = {}

    async def put(
        self, bucket: str, key: str, content: bytes | Path, media_type: str, metadata: Mapping[str, str] | None = None
    ) -> StoredObject:
        """See :meth:`ObjectStore.put`."""
        if (bucket, key) in self._objects:
            raise ObjectExistsError(key)
        data = content if isinstance(content, bytes) else content.read_bytes()  # noqa: ASYNC240 - tests only
        return self._keep(bucket, key, data, len(data), media_type, metadata or {})

    async def put_stream(
        self,
        bucket: str,
        key: str,
        chunks: AsyncIterator[bytes],
        media_type: str,
        metadata: Mapping[str, str],
        before_commit: BeforeCommit,
    ) -> StoredObject:
        """See :meth:`ObjectStore.put_stream`."""
        data = b"".join([chunk async for chunk in chunks])
        await before_commit(StreamDigest(hashlib.sha256(data).hexdigest(), len(data)))
        return await self.put(bucket, key, data, media_type, metadata)

    async def open_session(self, new: NewObject, origin: str | None = None) -> str:
        """See :meth:`ObjectStore.open_session`; :meth:`send` is how bytes get there."""
        if (new.bucket, new.key) in self._objects:
            raise ObjectExistsError(new.key)
        url = f"memory://session/{next(self._generations)}"
        self._sessions[url] = (new, origin)
        return url

    async def cancel_session(self, url: str) -> None:
        """See :meth:`ObjectStore.cancel_session`."""
        self._sessions.pop(url, None)

    async def send(self, url: str, content: bytes) -> StoredObject:
        """All bytes of a session at once. Raises ``KeyError`` when it is not open, ``ValueError`` for another size."""
        new, _ = self._sessions[url]
        if len(content) != new.size_bytes:
            raise ValueError(f"{len(content)} bytes, not {new.size_bytes}")
        del self._sessions[url]
        return await self.put(new.bucket, new.key, content, new.media_type, new.metadata)

    def session(self, url: str) -> tuple[NewObject, str | None]:
        """What an open session was opened for, and the origin that may use it. Raises ``KeyError``."""
        return self._sessions[url]

    async def get(self, bucket: str, key: str) -> bytes:
        """See :meth:`ObjectStore.get`."""
        return self._read(bucket, key)[1]

    async def download(self, bucket: str, key: str, path: Path, max_bytes: int, generation: int | None = None) -> None:
        """See :meth:`ObjectStore.download`."""
        stored, data = self._read(bucket, key)
        if generation is not None and stored.generation != generation:
            raise ObjectNotFoundError(key)
        if len(data) > max_bytes:
            raise ObjectTooLargeError(key)
        path.write_bytes(data)  # noqa: ASYNC240 - tests only

    async def stat(self, bucket: str, key: str) -> StoredObject:
        """See :meth:`ObjectStore.stat`."""
        return self._find(bucket, key)[0]

    async def list_page(self, bucket: str, after: str = "", limit: int = 1000) -> list[StoredObject]:
        """See :meth:`ObjectStore.list_page`."""
        found = [stored for (held, _), (stored, _) in self._objects.items() if held == bucket]
        ordered = sorted(found, key=lambda stored: stored.key.encode())
        return [stored for stored in ordered if stored.key.encode() > after.encode()][:limit]

    async def delete(self, bucket: str, key: str, generation: int | None = None) -> None:
        """See :meth:`ObjectStore.delete`."""
        held = self._objects.get((bucket, key))
        if held and generation in (None, held[0].generation):
            del self._objects[bucket, key]

    async def delete_prefix(self, bucket: str, prefix: str) -> int:
        """See :meth:`ObjectStore.delete_prefix`."""
        found = [name for name in self._objects if name[0] == bucket and name[1].startswith(prefix)]
        for name in found:
            del self._objects[name]
        return len(found)

    async def signed_url(
        self, bucket: str, key: str, expires: timedelta, *, filename: str | None = None, media_type: str | None = None
    ) -> str:
        """A URL that names the object and the seconds it would live; nothing serves it."""
        return f"memory://{bucket}/{key}?expires={expires.total_seconds():.0f}&filename={filename}&type={media_type}"

    def drop_as_gzip(self, bucket: str, key: str, stored: bytes, media_type: str) -> StoredObject:
        """What ``gsutil cp -Z`` leaves of ``gzip.compress(content)``, read unpacked; what cannot be, not at all."""
        try:
            content = gzip.decompress(stored)
        except (OSError, EOFError, zlib.error):
            content = None
        return self._keep(bucket, key, content, len(stored), media_type, {})

    def keys(self, bucket: str) -> list[str]:
        """The names in a bucket, sorted."""
        return sorted(key for held, key in self._objects if held == bucket)

    def _keep(
        self, bucket: str, key: str, data: bytes | None, size_bytes: int, media_type: str, metadata: Mapping[str, str]
    ) -> StoredObject:
        generation = next(self._generations)
        stored = StoredObject(bucket, key, generation, size_bytes, media_type, datetime.now(UTC), dict(metadata))
        self._objects[bucket, key] = (stored, data)
        return stored

    def _read(self, bucket: str, key: str) -> tuple[StoredObject, bytes]:
        stored, data = self._find(bucket, key)
        if data is None:
            raise ObjectUndecodableError(key)
        return stored, data

    def _find(self, bucket: str, key: str) -> tuple[StoredObject, bytes | None]:
        try:
            return self._objects[bucket, key]
        except KeyError:
            raise ObjectNotFoundError(key) from None
