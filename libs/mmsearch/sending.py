"""Turns paths into uploads, several at once: small files in one request, large ones piece by piece to the bucket.

A file that is refused does not stop the others; one that is there already is no failure.
"""

import errno
import os
import stat
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Protocol

from pydantic import BaseModel

from mmsearch.client import Client
from mmsearch.errors import ApiError, MmsearchError, UnreachableError
from mmsearch.journal import Journal
from mmsearch.models import UploadSession
from mmsearch.resumable import BucketRefusesError, SessionGoneError

RESUMABLE_FROM = 8 * 1024 * 1024
STREAMED_AT_ONCE = 8
"""Files in one request each: fewer than the gateway takes of one user, who may have the page open as well."""
DUPLICATE, UNREACHABLE = "duplicate", "unreachable"
_REFUSED = "refused_by_bucket"
_ANEW = "If it was changed while it was sent: the same command announces it anew."
_LITTER = frozenset({"thumbs.db", "desktop.ini", "__macosx"})


class Refusal(BaseModel):
    """Why a file was not taken, or what became of it."""

    code: str
    message: str
    advice: str | None = None


class Outcome(BaseModel):
    """What became of one path; ``status`` is ``duplicate`` when its bytes were there already."""

    path: str
    upload_id: str | None = None
    status: str | None = None
    error: Refusal | None = None


class StoppedError(MmsearchError):
    """The sending was called off."""


class Watcher(Protocol):
    """Is told how far each file is; called from several threads."""

    def begin(self, path: Path, size: int) -> Callable[[int], None]:
        """A file is about to be sent; the answer is called with the bytes sent so far."""
        ...

    def end(self, path: Path, outcome: Outcome) -> None:
        """A file was taken or refused."""
        ...


def files_in(paths: Sequence[Path]) -> Iterator[Path]:
    """The files given, and those in folders given; what is hidden or a system's litter in a folder is left out."""
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        for found in sorted(path.rglob("*")):
            parts = found.relative_to(path).parts
            unwanted = any(part.startswith(".") or part.lower() in _LITTER for part in parts)
            if found.is_file() and not unwanted:
                yield found


def printable(path: Path) -> str:
    """A path as it can be printed anywhere: bytes of it that are no UTF-8 as ``\\xe9``."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def _size_of(path: Path) -> int:
    """Raises ``OSError`` for what is no regular file: to open a pipe is to wait for whoever writes into it."""
    about = path.stat()
    if not stat.S_ISREG(about.st_mode):
        raise OSError(errno.EINVAL, "Not a regular file", str(path))
    return about.st_size


class Sender:
    """Sends files of one user. ``client`` is used by all threads at once."""

    def __init__(self, client: Client, journal: Journal, watcher: Watcher, *, allow_duplicates: bool = False) -> None:
        self._client = client.pausing(self._wait)
        self._journal = journal
        self._watcher = watcher
        self._allow = allow_duplicates
        self._stopped = threading.Event()
        self._away = threading.Event()
        self._streamed = threading.BoundedSemaphore(STREAMED_AT_ONCE)

    def send_all(self, paths: Sequence[Path], parallel: int) -> list[Outcome]:
        """Outcomes in the order of the paths; once nobody answers, the rest is not tried.

        An exception in the calling thread (Ctrl-C) stops what is under way at once.
        """
        pool = ThreadPoolExecutor(parallel, thread_name_prefix="upload")
        try:
            return list(pool.map(self._send_if_reachable, paths))
        except BaseException:
            self._stopped.set()
            raise
        finally:
            pool.shutdown(wait=True, cancel_futures=True)

    def _send_if_reachable(self, path: Path) -> Outcome:
        message = "Not sent: the server does not answer."
        if not self._away.is_set():
            try:
                return self.send(path)
            except UnreachableError as error:
                self._away.set()
                message = str(error)
        outcome = Outcome(path=printable(path), error=Refusal(code=UNREACHABLE, message=message))
        self._watcher.end(path, outcome)
        return outcome

    def send(self, path: Path) -> Outcome:
        """One file, whatever comes of it. Raises ``UnreachableError`` when nobody answers."""
        outcome = Outcome(path=printable(path))
        try:
            outcome = self._send(path)
        except ApiError as error:
            if error.code == DUPLICATE:
                outcome.upload_id, outcome.status = error.details.get("upload_id"), DUPLICATE
            else:
                outcome.error = Refusal(code=error.code, message=error.message)
        except BucketRefusesError as error:
            outcome.error = Refusal(code=_REFUSED, message=str(error), advice=_ANEW)
        except OSError as error:
            outcome.error = Refusal(code="unreadable", message=str(error))
        self._watcher.end(path, outcome)
        return outcome

    def _send(self, path: Path) -> Outcome:
        size = _size_of(path)
        told = self._watcher.begin(path, size)

        def on_progress(sent: int) -> None:
            if self._stopped.is_set():
                raise StoppedError("The sending was called off.")
            told(sent)

        if size >= RESUMABLE_FROM:
            return self._send_large(path, on_progress)
        with self._streamed:
            accepted = self._client.upload(path, allow_duplicate=self._allow, on_progress=on_progress)
        return Outcome(path=printable(path), upload_id=accepted.upload_id, status=accepted.status)

    def _send_large(self, path: Path, on_progress: Callable[[int], None]) -> Outcome:
        for _ in range(2):
            session = self._session(path)
            if session.session_url is not None:
                try:
                    self._client.send_to_bucket(session.session_url, path, on_progress)
                except SessionGoneError:
                    self._journal.forget(path)
                    continue
                except BucketRefusesError:
                    self._journal.forget(path)
                    raise
            self._journal.forget(path)
            return Outcome(path=printable(path), upload_id=session.upload_id, status="queued")
        raise BucketRefusesError("The bucket keeps no session of the file.")

    def _session(self, path: Path) -> UploadSession:
        known = self._journal.upload_id(path)
        if known is not None:
            try:
                session = self._client.session(known)
            except ApiError as error:
                if error.code != "not_found":
                    raise
            else:
                if session.session_url is not None or session.status != "pending":
                    return session
            self._journal.forget(path)
        session = self._client.open_session(path, allow_duplicate=self._allow)
        self._journal.remember(path, session.upload_id)
        return session

    def _wait(self, seconds: float) -> None:
        if self._stopped.wait(seconds):
            raise StoppedError("The sending was called off.")
