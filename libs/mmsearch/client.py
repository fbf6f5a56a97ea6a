"""Python calls into requests of the REST API, and its envelopes into typed answers or errors."""

import copy
import errno
import hashlib
import mimetypes
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import quote

import httpx2
from pydantic import TypeAdapter, ValidationError

from mmsearch import live, resumable
from mmsearch.errors import ApiError, UnreachableError
from mmsearch.models import (
    EVERYTHING,
    AcceptedUpload,
    ApiKey,
    Deployment,
    Envelope,
    FileText,
    Readiness,
    Release,
    SearchAnswer,
    SearchFilters,
    SignedUrl,
    StartedRun,
    Stats,
    TextPart,
    Upload,
    UploadPage,
    UploadSession,
    UploadStatus,
)
from mmsearch.opened_file import OpenedFile
from mmsearch.patience import Pause, is_away, is_not_now, patiently, retry_after_s

API_ROOT = "/api/v1"
Progress = Callable[[int], None]
"""Called with the number of bytes sent so far."""

_CONNECT_S, _ANSWER_S = 5.0, 300.0
_FIRST_POLL_S, _LONGEST_POLL_S = 0.25, 5.0
_PIECE = 1024 * 1024
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})

AnswerT = TypeVar("AnswerT")


class Client:
    """One user's connection to an mmsearch system; a context manager. Threads may share it.

    Every method raises :class:`~mmsearch.errors.ApiError` when the API refuses and
    :class:`~mmsearch.errors.UnreachableError` when it does not answer. What is refused only for
    the moment is asked again, for two minutes at most.
    """

    def __init__(self, url: str, api_key: str) -> None:
        self._pause: Pause = time.sleep
        self._url = url.rstrip("/").removesuffix(API_ROOT)
        host = httpx2.URL(self._url).host
        limits = httpx2.Timeout(_ANSWER_S, connect=_CONNECT_S)
        # The bucket is never told who we are: its URLs carry all they need.
        self._bucket = httpx2.Client(timeout=limits, trust_env=host not in _LOOPBACK)
        self._http = httpx2.Client(
            base_url=self._url + API_ROOT,
            headers={"X-API-Key": api_key, "Accept": "application/json"},
            timeout=limits,
            # A proxy of the caller's network does not know this machine's loopback.
            trust_env=host not in _LOOPBACK,
        )

    def __enter__(self) -> "Client":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connections."""
        self._http.close()
        self._bucket.close()

    def pausing(self, pause: Pause) -> Self:
        """The same connection, which waits by calling ``pause``; what that raises ends the call."""
        other = copy.copy(self)
        other._pause = pause
        return other

    def upload(
        self, path: Path, *, allow_duplicate: bool = False, on_progress: Progress | None = None
    ) -> AcceptedUpload:
        """Sends a file in pieces; memory use does not grow with its size. Raises ``OSError`` when it cannot be read."""
        with path.open("rb") as file:
            return self._call(
                AcceptedUpload,
                "POST",
                "/upload",
                files={"file": (_sendable(path.name), OpenedFile(file, on_progress or _unseen))},
                params=_duplicates(allow_duplicate),
            )

    def open_session(self, path: Path, *, allow_duplicate: bool = False) -> UploadSession:
        """Announces a file that is then sent by :meth:`send_to_bucket`. Raises ``OSError`` when it cannot be read."""
        with path.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        announced = {
            "filename": _sendable(path.name),
            "size": path.stat().st_size,
            "content_type": mimetypes.guess_type(path.name)[0],
            "sha256": sha256,
        }
        return self._call(
            UploadSession, "POST", "/upload/sessions", json=announced, params=_duplicates(allow_duplicate)
        )

    def session(self, upload_id: str) -> UploadSession:
        """A session again, to go on with."""
        return self._call(UploadSession, "GET", f"/upload/sessions/{_quoted(upload_id)}")

    def send_to_bucket(self, session_url: str, path: Path, on_progress: Progress) -> None:
        """Sends what of the file has not arrived. Raises ``SessionGoneError``, ``BucketRefusesError``, ``OSError``."""
        resumable.send(self._bucket, session_url, path, on_progress, self._pause)

    def status(self, upload_id: str) -> UploadStatus:
        """Where the upload (or job) of that id is."""
        return self._call(UploadStatus, "GET", f"/upload/status/{_quoted(upload_id)}")

    def wait(self, upload_id: str, timeout_s: float = 300) -> UploadStatus:
        """Waits until the upload is completed or failed, also for a system that starts again; raises ``TimeoutError``.

        It asks less and less often: a slow file must not use up what the caller may ask in a minute.
        """
        deadline, poll_s = time.monotonic() + timeout_s, _FIRST_POLL_S
        path = f"/upload/status/{_quoted(upload_id)}"
        while not (status := self._call_meanwhile(UploadStatus, "GET", path)).is_final:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{upload_id} is still {status.status} ({status.stage}) after {timeout_s:g} s")
            self._pause(poll_s)
            poll_s = min(poll_s * 2, _LONGEST_POLL_S)
        return status

    def search(
        self,
        query: str,
        *,
        limit: int = 20,
        offset: int = 0,
        mode: str = "hybrid",
        sort: str = "relevance",
        filters: SearchFilters = EVERYTHING,
    ) -> SearchAnswer:
        """The caller's files that fit ``query``, best first unless ``sort`` is date, size or name (``-date``: newest
        first); ``mode`` is hybrid, semantic or keyword.
        """
        asked = {"query": query, "limit": limit, "offset": offset, "mode": mode, "sort": sort}
        asked |= filters.model_dump(mode="json", exclude_none=True)
        return self._call(SearchAnswer, "POST", "/search", json=asked)

    def uploads(
        self, *, limit: int = 20, offset: int = 0, file_type: str | None = None, status: str | None = None
    ) -> UploadPage:
        """The caller's uploads, newest first."""
        filters = {"limit": limit, "offset": offset, "file_type": file_type, "status": status}
        envelope = self._envelope("GET", "/uploads", params={k: v for k, v in filters.items() if v is not None})
        listed: Any = envelope.data["uploads"] if isinstance(envelope.data, dict) else envelope.data
        uploads = understood(tuple[Upload, ...], listed)
        total = int(envelope.meta.get("total", len(uploads)))
        return UploadPage(uploads=uploads, total=total, has_more=bool(envelope.meta.get("has_more", False)))

    def delete(self, upload_id: str, *, purge: bool = False) -> None:
        """Takes an upload out of search and lists; with ``purge`` its bytes go at once and for ever."""
        self._envelope("DELETE", f"/upload/{_quoted(upload_id)}", params={"purge": "true"} if purge else None)

    def restore(self, upload_id: str) -> StartedRun:
        """Brings a deleted upload back."""
        return self._call(StartedRun, "POST", f"/upload/{_quoted(upload_id)}/restore")

    def retry(self, upload_id: str) -> StartedRun:
        """Runs a failed upload again from where it failed."""
        return self._call(StartedRun, "POST", f"/upload/{_quoted(upload_id)}/retry")

    def download_url(self, upload_id: str, *, inline: bool = False) -> SignedUrl:
        """Where the original can be had for five minutes; ``inline`` for browsers to show it."""
        wish = {"redirect": "false", "inline": str(inline).lower()}
        return self._call(SignedUrl, "GET", f"/file/{_quoted(upload_id)}/download", params=wish)

    def download(self, upload_id: str, path: Path, on_progress: Progress | None = None) -> None:
        """Writes the original to ``path``, which is there only when it is whole. Raises ``OSError``, also if something
        stands there that is no regular file.
        """
        if path.exists() and not path.is_file():
            raise OSError(errno.EINVAL, "Not a regular file", str(path))
        partial = path.with_name(path.name + ".part")
        url = self.download_url(upload_id).url
        try:
            with self._bucket.stream("GET", url) as answer, partial.open("wb") as file:
                answer.raise_for_status()
                for piece in answer.iter_bytes(_PIECE):
                    file.write(piece)
                    if on_progress:
                        on_progress(file.tell())
        except httpx2.HTTPError as error:
            partial.unlink(missing_ok=True)
            raise UnreachableError(f"the file cannot be had: {error or type(error).__name__}") from error
        partial.replace(path)

    def text(self, upload_id: str) -> Iterator[TextPart]:
        """What is written or said in a file, in its order."""
        after: int | None = -1
        while after is not None:
            page = self._call(FileText, "GET", f"/file/{_quoted(upload_id)}/text", params={"after": after})
            yield from page.parts
            after = page.next

    def changes(self) -> Iterator[Upload | None]:
        """The caller's uploads as they change, without end; None first, once everything from then on will be told."""
        try:
            for message in live.follow(self._http, "/events", self._pause):
                if not isinstance(message, live.Message):
                    raise _refusal(message, _envelope_in(message))
                if message.event == "hello":
                    yield None
                elif message.event == "upload":
                    yield understood(Upload, message.data)
        except httpx2.HTTPError as error:
            raise UnreachableError(f"{self._url} does not answer: {_reason(error)}") from error

    def api_keys(self) -> tuple[ApiKey, ...]:
        """The caller's keys, oldest first."""
        return self._call(tuple[ApiKey, ...], "GET", "/users/me/api-keys")

    def create_api_key(self, name: str) -> ApiKey:
        """A new key; ``key`` is told this once."""
        return self._call(ApiKey, "POST", "/users/me/api-keys", json={"name": name})

    def delete_api_key(self, key_id: str) -> None:
        """Revokes a key."""
        self._envelope("DELETE", f"/users/me/api-keys/{_quoted(key_id)}")

    def deployment(self) -> Deployment:
        """How the system is, as the gateway sees it."""
        readiness = understood(Readiness, self._told("/health/ready"))
        release = understood(Release, self._told("/version"))
        stats = self._call(Stats, "GET", "/stats/me") if readiness.status == "ok" else None
        return Deployment(url=self._url, readiness=readiness, release=release, stats=stats)

    def _told(self, path: str) -> Any:
        """What an operators' route says, well or ill; it stands outside the API."""
        response = self._request("GET", self._url + path)
        try:
            return response.json()
        except ValueError:
            raise _refusal(response, _envelope_in(response)) from None

    def _call(self, kind: type[AnswerT], method: str, path: str, **request: Any) -> AnswerT:
        return understood(kind, self._envelope(method, path, **request).data)

    def _call_meanwhile(self, kind: type[AnswerT], method: str, path: str, **request: Any) -> AnswerT:
        """Of what may be asked twice: waits for a system that is away for a moment, too."""
        envelope = patiently(lambda: self._envelope_now(method, path, **request), is_away, self._pause)
        return understood(kind, envelope.data)

    def _envelope(self, method: str, path: str, **request: Any) -> Envelope:
        return patiently(lambda: self._envelope_now(method, path, **request), is_not_now, self._pause)

    def _envelope_now(self, method: str, path: str, **request: Any) -> Envelope:
        response = self._request(method, path, **request)
        if response.status_code == 204:
            return Envelope(status="success")
        envelope = _envelope_in(response)
        if response.is_success:
            return envelope
        raise _refusal(response, envelope)

    def _request(self, method: str, path: str, **request: Any) -> httpx2.Response:
        try:
            return self._http.request(method, path, **request)
        except httpx2.HTTPError as error:
            raise UnreachableError(f"{self._url} does not answer: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    """What the network says, without the number of the error."""
    return re.sub(r"^\[Errno -?\d+\] ", "", str(error)) or type(error).__name__


def _refusal(response: httpx2.Response, envelope: Envelope) -> ApiError:
    body = envelope.error
    code, message = (body.code, body.message) if body else ("http_error", f"HTTP {response.status_code}")
    trace_id = envelope.trace_id or response.headers.get("X-Trace-Id")
    details = body.details if body else {}
    return ApiError(response.status_code, code, message, details, trace_id, retry_after_s(response))


def _envelope_in(response: httpx2.Response) -> Envelope:
    try:
        return Envelope.model_validate_json(response.content)
    except ValidationError:
        message = f"HTTP {response.status_code} without an answer this client understands"
        raise ApiError(response.status_code, "unexpected_answer", message, {}, None, retry_after_s(response)) from None


def understood(kind: type[AnswerT], data: Any) -> AnswerT:
    """An answer's data as ``kind``, a model or a tuple of models. Raises :class:`~mmsearch.errors.ApiError`."""
    try:
        return TypeAdapter(kind).validate_python(data)
    except ValidationError as error:
        fields = ", ".join(sorted({".".join(map(str, e["loc"])) for e in error.errors()}))
        message = f"The answer is not what this client expects ({fields}); is the server older?"
        raise ApiError(200, "unexpected_answer", message, {}, None) from None


def _quoted(upload_id: str) -> str:
    return quote(upload_id, safe="")


def _sendable(name: str) -> str:
    """A name whose bytes are no UTF-8 cannot be sent as it is."""
    return name.encode("utf-8", "replace").decode()


def _duplicates(allow: bool) -> dict[str, str] | None:
    return {"on_duplicate": "allow"} if allow else None


def _unseen(_: int) -> None:
    """Progress that nobody follows."""
