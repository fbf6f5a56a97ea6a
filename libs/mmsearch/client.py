"""Python calls into requests of the REST API, and its envelopes into typed answers or errors."""

import io
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar
from urllib.parse import quote

import httpx2
from pydantic import BaseModel, ValidationError

from mmsearch.errors import ApiError, UnreachableError
from mmsearch.models import AcceptedUpload, Envelope, SearchAnswer, Upload, UploadPage, UploadStatus

API_ROOT = "/api/v1"
Progress = Callable[[int], None]
"""Called with the number of bytes sent so far."""

_CONNECT_S, _ANSWER_S = 5.0, 300.0
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})

ModelT = TypeVar("ModelT", bound=BaseModel)


class Client:
    """One user's connection to an mmsearch system; a context manager. Not safe for use by several threads at once.

    Every method raises :class:`~mmsearch.errors.ApiError` when the API refuses and
    :class:`~mmsearch.errors.UnreachableError` when it does not answer.
    """

    def __init__(self, url: str, api_key: str) -> None:
        self._url = url.rstrip("/")
        host = httpx2.URL(self._url).host
        self._http = httpx2.Client(
            base_url=self._url + API_ROOT,
            headers={"X-API-Key": api_key, "Accept": "application/json"},
            timeout=httpx2.Timeout(_ANSWER_S, connect=_CONNECT_S),
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

    def upload(
        self, path: Path, *, allow_duplicate: bool = False, on_progress: Progress | None = None
    ) -> AcceptedUpload:
        """Sends a file in pieces; memory use does not grow with its size. Raises ``OSError`` when it cannot be read."""
        # A name whose bytes are no UTF-8 cannot be sent as it is.
        name = path.name.encode("utf-8", "replace").decode()
        with path.open("rb") as file:
            body = file if on_progress is None else _Counted(file, on_progress)
            return self._call(
                AcceptedUpload,
                "POST",
                "/upload",
                files={"file": (name, body)},
                params={"on_duplicate": "allow"} if allow_duplicate else None,
            )

    def status(self, upload_id: str) -> UploadStatus:
        """Where the upload (or job) of that id is."""
        return self._call(UploadStatus, "GET", f"/upload/status/{_quoted(upload_id)}")

    def wait(self, upload_id: str, timeout_s: float = 300, poll_s: float = 0.25) -> UploadStatus:
        """Waits until the upload is completed or failed; raises ``TimeoutError``."""
        deadline = time.monotonic() + timeout_s
        while not (status := self.status(upload_id)).is_final:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{upload_id} is still {status.status} ({status.stage}) after {timeout_s:g} s")
            time.sleep(poll_s)
        return status

    def search(
        self, query: str, *, limit: int = 20, offset: int = 0, mode: str = "hybrid", file_types: tuple[str, ...] = ()
    ) -> SearchAnswer:
        """The caller's files that fit ``query``, best first; ``mode`` is hybrid, semantic or keyword."""
        asked: dict[str, Any] = {"query": query, "limit": limit, "offset": offset, "mode": mode}
        if file_types:
            asked["file_types"] = list(file_types)
        return self._call(SearchAnswer, "POST", "/search", json=asked)

    def uploads(
        self, *, limit: int = 20, offset: int = 0, file_type: str | None = None, status: str | None = None
    ) -> UploadPage:
        """The caller's uploads, newest first."""
        filters = {"limit": limit, "offset": offset, "file_type": file_type, "status": status}
        envelope = self._envelope("GET", "/uploads", params={k: v for k, v in filters.items() if v is not None})
        listed: Any = envelope.data["uploads"] if isinstance(envelope.data, dict) else envelope.data
        uploads = tuple(_as(Upload, item) for item in listed)
        total = int(envelope.meta.get("total", len(uploads)))
        return UploadPage(uploads=uploads, total=total, has_more=bool(envelope.meta.get("has_more", False)))

    def delete(self, upload_id: str) -> None:
        """Takes an upload out of search and lists."""
        self._envelope("DELETE", f"/upload/{_quoted(upload_id)}")

    def _call(self, model: type[ModelT], method: str, path: str, **request: Any) -> ModelT:
        return _as(model, self._envelope(method, path, **request).data)

    def _envelope(self, method: str, path: str, **request: Any) -> Envelope:
        try:
            response = self._http.request(method, path, **request)
        except httpx2.HTTPError as error:
            reason = str(error) or type(error).__name__
            raise UnreachableError(f"{self._url} does not answer: {reason}") from error
        if response.status_code == 204:
            return Envelope(status="success")
        envelope = _envelope_in(response)
        if response.is_success:
            return envelope
        body = envelope.error
        code, message = (body.code, body.message) if body else ("http_error", f"HTTP {response.status_code}")
        trace_id = envelope.trace_id or response.headers.get("X-Trace-Id")
        raise ApiError(response.status_code, code, message, body.details if body else {}, trace_id)


def _envelope_in(response: httpx2.Response) -> Envelope:
    try:
        return Envelope.model_validate_json(response.content)
    except ValidationError:
        message = f"HTTP {response.status_code} without an answer this client understands"
        raise ApiError(response.status_code, "unexpected_answer", message, {}, None) from None


def _as(model: type[ModelT], data: Any) -> ModelT:
    try:
        return model.model_validate(data)
    except ValidationError as error:
        fields = ", ".join(sorted({".".join(map(str, e["loc"])) for e in error.errors()}))
        message = f"The answer is not what this client expects ({fields}); is the server older?"
        raise ApiError(200, "unexpected_answer", message, {}, None) from None


def _quoted(upload_id: str) -> str:
    return quote(upload_id, safe="")


class _Counted(io.RawIOBase):
    """A file that reports how much of it has been read."""

    def __init__(self, file: io.BufferedReader, on_progress: Progress) -> None:
        self._file = file
        self._on_progress = on_progress

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        data = self._file.read(size)
        self._on_progress(self._file.tell())
        return data

    def seek(self, offset: int, whence: int = 0, /) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def fileno(self) -> int:
        return self._file.fileno()
