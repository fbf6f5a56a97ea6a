"""Cloud Storage through the official client: its blocking calls in threads, every write with a precondition."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ParamSpec, Self, TypeVar, cast
from urllib.parse import quote

import requests
import requests.adapters
from google.api_core.exceptions import NotFound, PreconditionFailed, RetryError, ServerError, TooManyRequests
from google.auth.credentials import Credentials
from google.cloud import storage
from google.cloud.storage.exceptions import InvalidResponse
from google.cloud.storage.retry import DEFAULT_RETRY
from google.oauth2 import service_account

from objectstore.store import (
    BeforeCommit,
    ObjectExistsError,
    ObjectNotFoundError,
    StoredObject,
    StoreUnavailableError,
    StreamDigest,
)

CHUNK_BYTES = 4 * 1024 * 1024
"""One piece of a streamed upload; what one upload may hold in memory is about three of these."""

_RETRY = DEFAULT_RETRY.with_timeout(10)
"""Seconds of the client's own retries; its default of two minutes would hold a request that can be answered 503."""

_OUTAGES = (ServerError, TooManyRequests, RetryError, requests.ConnectionError, requests.Timeout)

_P = ParamSpec("_P")
_T = TypeVar("_T")


class GcsObjectStore:
    """An :class:`objectstore.store.ObjectStore` over ``google-cloud-storage``.

    ``signing`` holds the service account's key where the platform cannot sign by itself (one machine).
    """

    def __init__(self, client: storage.Client, *, signing: Credentials | None = None, threads: int = 16) -> None:
        self._client = client
        self._signing = signing
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix="gcs")
        adapter = requests.adapters.HTTPAdapter(pool_connections=4, pool_maxsize=threads)
        http = cast("Any", client)._http
        http.mount("https://", adapter)
        http.mount("http://", adapter)

    async def ping(self, bucket: str) -> None:
        """Raises when the bucket is not there or the storage service does not answer at once."""
        await self._run(lambda: cast("Any", self._client).get_bucket(bucket, timeout=2, retry=None))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        """Ends the threads and connections."""
        self._executor.shutdown(wait=False, cancel_futures=True)
        self._client.close()

    async def put(
        self, bucket: str, key: str, content: bytes | Path, media_type: str, metadata: Mapping[str, str] | None = None
    ) -> StoredObject:
        """See :meth:`ObjectStore.put`."""
        blob = self._blob(bucket, key, metadata)
        try:
            if isinstance(content, bytes):
                await self._run(
                    blob.upload_from_string, content, content_type=media_type, if_generation_match=0, retry=_RETRY
                )
            else:
                await self._run(
                    blob.upload_from_filename,
                    str(content),
                    content_type=media_type,
                    if_generation_match=0,
                    retry=_RETRY,
                )
        except PreconditionFailed as error:
            raise ObjectExistsError(key) from error
        return _stored(blob)

    async def put_stream(
        self,
        bucket: str,
        key: str,
        chunks: AsyncIterator[bytes],
        media_type: str,
        metadata: Mapping[str, str],
        before_commit: BeforeCommit,
    ) -> StoredObject:
        """See :meth:`ObjectStore.put_stream`. A stream of one chunk is one request; a longer one is resumable."""
        pieces = _Pieces(chunks)
        first = await pieces.next()
        blob = self._blob(bucket, key, metadata)
        if pieces.ended:
            await before_commit(pieces.digest())
            return await self.put(bucket, key, first, media_type, metadata)
        writer = await self._run(
            lambda: cast(
                "Any",
                blob.open("wb", chunk_size=CHUNK_BYTES, content_type=media_type, if_generation_match=0, retry=_RETRY),
            )
        )
        try:
            await self._run(writer.write, first)
            while not pieces.ended:
                await self._run(writer.write, await pieces.next())
            await before_commit(pieces.digest())
            await self._run(writer.close)
        except BaseException as error:
            await asyncio.shield(self._run(writer.terminate))
            if _is_precondition_failure(error):
                raise ObjectExistsError(key) from error
            raise
        await self._run(blob.reload, retry=_RETRY)
        return _stored(blob)

    async def get(self, bucket: str, key: str) -> bytes:
        """See :meth:`ObjectStore.get`."""
        try:
            return await self._run(self._blob(bucket, key).download_as_bytes, retry=_RETRY)
        except NotFound as error:
            raise ObjectNotFoundError(key) from error

    async def download(self, bucket: str, key: str, path: Path, generation: int | None = None) -> None:
        """See :meth:`ObjectStore.download`."""
        blob = self._client.bucket(bucket).blob(key, generation=generation)
        try:
            await self._run(blob.download_to_filename, str(path), retry=_RETRY)
        except NotFound as error:
            raise ObjectNotFoundError(key) from error

    async def stat(self, bucket: str, key: str) -> StoredObject:
        """See :meth:`ObjectStore.stat`."""
        blob = self._blob(bucket, key)
        try:
            await self._run(blob.reload, retry=_RETRY)
        except NotFound as error:
            raise ObjectNotFoundError(key) from error
        return _stored(blob)

    async def delete(self, bucket: str, key: str, generation: int | None = None) -> None:
        """See :meth:`ObjectStore.delete`."""
        try:
            await self._run(self._blob(bucket, key).delete, if_generation_match=generation, retry=_RETRY)
        except (NotFound, PreconditionFailed):
            return

    async def delete_prefix(self, bucket: str, prefix: str) -> int:
        """See :meth:`ObjectStore.delete_prefix`."""
        keys = await self._run(lambda: [b.name for b in self._client.list_blobs(bucket, prefix=prefix, retry=_RETRY)])
        for key in keys:
            await self.delete(bucket, key)
        return len(keys)

    async def signed_url(
        self, bucket: str, key: str, expires: timedelta, *, filename: str | None = None, media_type: str | None = None
    ) -> str:
        """See :meth:`ObjectStore.signed_url`."""
        disposition = f"attachment; filename*=UTF-8''{quote(filename, safe='')}" if filename else None
        return await self._run(
            self._blob(bucket, key).generate_signed_url,
            version="v4",
            method="GET",
            expiration=expires,
            credentials=self._signing,
            response_disposition=disposition,
            response_type=media_type,
        )

    def _blob(self, bucket: str, key: str, metadata: Mapping[str, str] | None = None) -> storage.Blob:
        blob = self._client.bucket(bucket).blob(key)
        if metadata:
            blob.metadata = dict(metadata)
        return blob

    async def _run(self, function: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._executor, lambda: function(*args, **kwargs))
        except _OUTAGES as error:
            raise StoreUnavailableError(f"{type(error).__name__}: {error}") from error


def connect(project: str, signing_key_file: Path | None = None) -> GcsObjectStore:
    """The store of this process; ``STORAGE_EMULATOR_HOST`` is honoured by the client itself."""
    signing = service_account.Credentials.from_service_account_file(str(signing_key_file)) if signing_key_file else None
    return GcsObjectStore(storage.Client(project=project), signing=signing)


class _Pieces:
    """Regroups a stream into pieces of ``CHUNK_BYTES``, hashing on the way and knowing when it has ended."""

    def __init__(self, chunks: AsyncIterator[bytes]) -> None:
        self._chunks = chunks
        self._buffer = bytearray()
        self._hash = hashlib.sha256()
        self._size = 0
        self.ended = False

    async def next(self) -> bytes:
        while len(self._buffer) <= CHUNK_BYTES and not self.ended:
            try:
                chunk = await anext(self._chunks)
            except StopAsyncIteration:
                self.ended = True
                break
            self._hash.update(chunk)
            self._size += len(chunk)
            self._buffer += chunk
        piece = bytes(self._buffer[:CHUNK_BYTES]) if not self.ended else bytes(self._buffer)
        del self._buffer[: len(piece)]
        return piece

    def digest(self) -> StreamDigest:
        return StreamDigest(self._hash.hexdigest(), self._size)


def _is_precondition_failure(error: BaseException) -> bool:
    """The writer of ``blob.open`` raises the transport's own error, not the client's."""
    return isinstance(error, InvalidResponse) and error.response.status_code == 412


def _stored(blob: Any) -> StoredObject:
    return StoredObject(
        bucket=blob.bucket.name,
        key=blob.name,
        generation=int(blob.generation),
        size_bytes=int(blob.size),
        media_type=blob.content_type,
        created_at=blob.time_created or datetime.now(UTC),
        metadata=dict(blob.metadata or {}),
    )
