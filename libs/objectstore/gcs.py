"""Cloud Storage through the official client: its blocking calls in threads, every write with a precondition."""

import asyncio
import hashlib
import io
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, Self, TypeVar, cast
from urllib.parse import quote

import requests
import requests.adapters
from google.api_core.exceptions import GoogleAPICallError, NotFound, PreconditionFailed, RetryError
from google.auth.credentials import AnonymousCredentials, Signing
from google.auth.exceptions import TransportError
from google.cloud import storage
from google.cloud.storage.exceptions import InvalidResponse
from google.cloud.storage.retry import DEFAULT_RETRY
from google.oauth2 import service_account

from objectstore.signing import remote_signing
from objectstore.store import (
    BeforeCommit,
    NewObject,
    ObjectExistsError,
    ObjectNotFoundError,
    ObjectTooLargeError,
    ObjectUndecodableError,
    StoredObject,
    StoreUnavailableError,
    StreamDigest,
)

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

CHUNK_BYTES = 4 * 1024 * 1024
"""One piece of a streamed upload; what one upload may hold in memory is about four of these."""

_RETRY = DEFAULT_RETRY.with_timeout(10)
"""Seconds of the client's own retries; its default of two minutes would hold a request that can be answered 503."""

_SESSION_TIMEOUT_S = 10

_OUTAGES = (
    RetryError,
    TransportError,
    requests.ConnectionError,
    requests.Timeout,
)

_THREADS = 16
_P = ParamSpec("_P")
_T = TypeVar("_T")


class GcsObjectStore:
    """An :class:`objectstore.store.ObjectStore` over ``google-cloud-storage``.

    ``signing`` signs URLs where the client's own credentials cannot: a key file on one machine, IAM on Cloud Run.
    """

    def __init__(self, client: storage.Client, *, signing: Signing | None = None) -> None:
        self._client = client
        self._signing = signing
        self._executor = ThreadPoolExecutor(_THREADS, thread_name_prefix="gcs")
        _prepare(client, _THREADS)

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

    async def open_session(self, new: NewObject, origin: str | None = None) -> str:
        """See :meth:`ObjectStore.open_session`."""
        blob = self._blob(new.bucket, new.key, new.metadata)
        try:
            url = await self._run(
                blob.create_resumable_upload_session,
                content_type=new.media_type,
                size=new.size_bytes,
                origin=origin,
                if_generation_match=0,
                timeout=_SESSION_TIMEOUT_S,
                retry=_RETRY,
            )
        except PreconditionFailed as error:
            raise ObjectExistsError(new.key) from error
        assert url
        return url

    async def cancel_session(self, url: str) -> None:
        """See :meth:`ObjectStore.cancel_session`. Cloud Storage answers 499 to say that it is done."""
        http: requests.Session = cast("Any", self._client)._http
        answer = await self._run(lambda: http.delete(url, headers={"Content-Length": "0"}, timeout=_SESSION_TIMEOUT_S))
        if answer.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise StoreUnavailableError(f"cancelling an upload session: {answer.status_code}")

    async def get(self, bucket: str, key: str) -> bytes:
        """See :meth:`ObjectStore.get`."""
        try:
            return await self._run(self._blob(bucket, key).download_as_bytes, retry=_RETRY)
        except NotFound as error:
            raise ObjectNotFoundError(key) from error

    async def download(self, bucket: str, key: str, path: Path, max_bytes: int, generation: int | None = None) -> None:
        """See :meth:`ObjectStore.download`."""
        blob = self._client.bucket(bucket).blob(key, generation=generation)
        try:
            await self._run(_download, blob, path, max_bytes)
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

    async def list_page(self, bucket: str, after: str = "", limit: int = 1000) -> list[StoredObject]:
        """See :meth:`ObjectStore.list_page`. The service starts at a name, not after it: one more is asked for."""
        listed = await self._run(
            lambda: list(
                self._client.list_blobs(bucket, start_offset=after or None, max_results=limit + 1, retry=_RETRY)
            )
        )
        return [_stored(blob) for blob in listed if blob.name != after][:limit]

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
        except (GoogleAPICallError, InvalidResponse) as error:
            if not _is_servers_trouble(error):
                raise
            raise StoreUnavailableError(f"{type(error).__name__}: {error}") from error
        except requests.exceptions.ContentDecodingError as error:
            raise ObjectUndecodableError(str(error)) from error


def _prepare(client: Any, connections: int) -> None:
    """Lets the client use so many connections, and do once what it would do for every request."""
    http: requests.Session = client._http
    adapter = requests.adapters.HTTPAdapter(pool_connections=4, pool_maxsize=connections)
    http.mount("https://", adapter)
    http.mount("http://", adapter)
    surroundings = http.merge_environment_settings(client.api_endpoint, {}, None, None, None)
    http.proxies, http.verify = surroundings["proxies"], surroundings["verify"]
    http.trust_env = False
    # The client's bucket-metadata cache serves its own tracing, which is off, and would GET the bucket after every 404.
    client._bucket_metadata_cache = None


def connect(project: str, signing_key_file: Path | None = None) -> GcsObjectStore:
    """The store of this process; ``STORAGE_EMULATOR_HOST`` is honoured by the client itself."""
    client = storage.Client(project=project)
    if signing_key_file:
        return GcsObjectStore(client, signing=service_account.Credentials.from_service_account_file(signing_key_file))
    own = cast("Any", client)._credentials
    signs_itself = isinstance(own, Signing | AnonymousCredentials)
    return GcsObjectStore(client, signing=None if signs_itself else remote_signing())


def _download(blob: storage.Blob, path: Path, max_bytes: int) -> None:
    with _BoundedFile(path, max_bytes) as file:
        blob.download_to_file(file, retry=_RETRY)


class _BoundedFile(io.BufferedWriter):
    """Refuses a byte too many: how many there are is known only while the client unpacks what is stored packed."""

    def __init__(self, path: Path, max_bytes: int) -> None:
        super().__init__(io.FileIO(path, "w"))
        self._max_bytes = max_bytes

    def write(self, buffer: "ReadableBuffer", /) -> int:
        if self.tell() + memoryview(buffer).nbytes > self._max_bytes:
            raise ObjectTooLargeError(f"more than {self._max_bytes} bytes")
        return super().write(buffer)


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
        size = len(self._buffer) if self.ended else CHUNK_BYTES
        with memoryview(self._buffer)[:size] as part:  # a slice of the buffer itself would be one more copy
            piece = bytes(part)
        del self._buffer[:size]
        return piece

    def digest(self) -> StreamDigest:
        return StreamDigest(self._hash.hexdigest(), self._size)


def _is_servers_trouble(error: GoogleAPICallError | InvalidResponse) -> bool:
    """Whether the answer was 429 or any 5xx; the client has no exception of its own for some, as 507 (no room left)."""
    status = error.response.status_code if isinstance(error, InvalidResponse) else error.code
    return status is not None and (status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR)


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
