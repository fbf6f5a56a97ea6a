"""Turns a file and a session of the bucket into PUTs that go on where a broken connection stopped.

What Cloud Storage calls a resumable upload: pieces with ``Content-Range``, 308 with ``Range`` until the last one.
"""

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

import httpx2

from mmsearch.errors import MmsearchError, ShortenedError, UnreachableError

PIECE_BYTES = 8 * 1024 * 1024
"""A whole multiple of 256 KiB, as the bucket wants it."""

_TRIES_WITHOUT_PROGRESS = 6
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.5, 15.0
_UNFINISHED = 308
GONE = frozenset({404, 410, 412, 499})
"""A session that has expired, was cancelled, or whose object is there already; the page has the same list."""

_BUSY = frozenset({408, 429, 500, 502, 503, 504})

_SIP_BYTES = 256 * 1024

Progress = Callable[[int], None]
"""Called with the number of bytes sent; what it raises ends the sending."""


class BucketRefusesError(MmsearchError):
    """The bucket does not take this file; others it may."""


class SessionGoneError(MmsearchError):
    """The session has expired or was cancelled; the file can be announced again."""


def send(
    http: httpx2.Client,
    session_url: str,
    path: Path,
    on_progress: Progress,
    wait: Callable[[float], object] = time.sleep,
) -> None:
    """Sends what the bucket does not have yet.

    Raises ``SessionGoneError``, ``BucketRefusesError``, ``UnreachableError`` and ``OSError``.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        have, tries, pause = None, 0, _FIRST_PAUSE_S
        while have is None or have < size:
            before = have
            try:
                if have is None:
                    have = _arrived(http, session_url, size)
                else:
                    have = _put(http, session_url, file, have, size, on_progress)
            except (httpx2.TransportError, _BusyError) as error:
                tries += 1
                if tries >= _TRIES_WITHOUT_PROGRESS:
                    raise UnreachableError(f"the bucket does not take {path.name}: {error}") from error
                wait(pause)
                have, pause = None, min(pause * 2, _LONGEST_PAUSE_S)
                continue
            if before is not None and have > before:
                tries, pause = 0, _FIRST_PAUSE_S
            on_progress(have)


class _BusyError(Exception):
    """The bucket asks to try again."""


def _arrived(http: httpx2.Client, session_url: str, size: int) -> int:
    """How many bytes the bucket has."""
    return _have(http.put(session_url, headers={"Content-Range": f"bytes */{size}"}), size)


def _put(http: httpx2.Client, session_url: str, file: BinaryIO, start: int, size: int, on_progress: Progress) -> int:
    end = min(start + PIECE_BYTES, size)
    headers = {"Content-Range": f"bytes {start}-{end - 1}/{size}", "Content-Length": str(end - start)}
    answer = http.put(session_url, content=_sips(file, start, end, on_progress), headers=headers)
    return _have(answer, size)


def _sips(file: BinaryIO, start: int, end: int, on_progress: Progress) -> Iterator[bytes]:
    """The piece a little at a time, so that a slow connection shows progress and can be stopped."""
    file.seek(start)
    at = start
    while at < end:
        sip = file.read(min(_SIP_BYTES, end - at))
        if not sip:
            raise ShortenedError
        yield sip
        at += len(sip)
        on_progress(at)


def _have(answer: httpx2.Response, size: int) -> int:
    if answer.is_success:
        return size
    if answer.status_code == _UNFINISHED:
        found = re.fullmatch(r"bytes=0-(\d+)", answer.headers.get("Range", ""))
        return int(found[1]) + 1 if found else 0
    if answer.status_code in GONE:
        raise SessionGoneError("The upload's session has expired.")
    if answer.status_code in _BUSY:
        raise _BusyError(f"HTTP {answer.status_code}")
    raise BucketRefusesError(f"The bucket refuses the file (HTTP {answer.status_code}).")
