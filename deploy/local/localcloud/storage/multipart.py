"""A ``multipart/related`` upload, fed in pieces of any size, into its JSON part and the bytes of its media
part; line ends may be CRLF or LF alone (gsutil sends those)."""

import json
from email.message import Message
from enum import Enum, auto
from typing import Any, cast

from localcloud.storage.errors import StorageError, invalid

_MAX_HEAD_BYTES = 64 * 1024


def boundary_of(content_type: str | None) -> bytes:
    """The boundary, quoted or not; 400 when there is none."""
    message = Message()
    message["content-type"] = content_type or ""
    boundary = message.get_param("boundary")
    if not isinstance(boundary, str) or not 1 <= len(boundary) <= 200 or not boundary.isascii():
        raise invalid("The multipart request has no usable boundary.")
    # gsutil writes apostrophes around it, where double quotes are meant.
    if len(boundary) > 2 and boundary[0] == boundary[-1] == "'":
        boundary = boundary[1:-1]
    return boundary.encode()


class _State(Enum):
    HEAD = auto()
    MEDIA = auto()
    DONE = auto()


class RelatedParser:
    """Push parser of one upload."""

    def __init__(self, boundary: bytes) -> None:
        self._dashes = b"--" + boundary
        self._end = b""
        self._lead = 0
        self._state = _State.HEAD
        self._buffer = bytearray()
        self.resource: dict[str, Any] = {}
        self.media_type: str | None = None

    def feed(self, data: bytes) -> bytes:
        """The next bytes of the request; the media bytes they bring to light."""
        if self._state is _State.DONE:
            return b""
        self._buffer += data
        if self._state is _State.HEAD:
            self._read_head()
        return self._read_media() if self._state is _State.MEDIA else b""

    def close(self) -> None:
        """The request has ended; 400 unless the closing boundary was seen."""
        if self._state is not _State.DONE:
            raise invalid("Malformed multipart body: the closing boundary is missing.")

    def _read_head(self) -> None:
        """Both parts' headers and the JSON, once they are here in full."""
        start = self._buffer.find(self._dashes)
        line_end = self._buffer.find(b"\n", start)
        if start < 0 or line_end < 0:
            return self._check_head_size()
        newline = b"\r\n" if self._buffer.endswith(b"\r", 0, line_end) else b"\n"
        self._end = newline + self._dashes
        second = self._buffer.find(self._end, line_end)
        media = self._after_blank_line(second + len(self._end), newline) if second >= 0 else -1
        if media < 0:
            return self._check_head_size()
        first = self._after_blank_line(line_end - len(newline) + 1, newline)
        if not 0 <= first <= second + len(newline):
            raise invalid("Malformed multipart body: the first part has no blank line after its headers.")
        self.resource = _json_object(bytes(self._buffer[first:second]))
        self.media_type = _content_type(bytes(self._buffer[second:media]))
        # Where the media is empty, the line end before it is the delimiter's own: it stays in the buffer.
        del self._buffer[: media - len(newline)]
        self._state = _State.MEDIA
        self._lead = len(newline)
        return None

    def _after_blank_line(self, start: int, newline: bytes) -> int:
        found = self._buffer.find(newline * 2, start)
        return -1 if found < 0 else found + 2 * len(newline)

    def _check_head_size(self) -> None:
        if len(self._buffer) > _MAX_HEAD_BYTES:
            raise StorageError(400, "invalid", "Malformed multipart body: its metadata part is too long.")

    def _read_media(self) -> bytes:
        end = self._buffer.find(self._end)
        if end >= 0:
            media = bytes(self._buffer[self._lead : end])
            self._buffer.clear()
            self._state = _State.DONE
            return media
        # The tail might be the beginning of the delimiter.
        safe = len(self._buffer) - len(self._end)
        if safe <= self._lead:
            return b""
        media = bytes(self._buffer[self._lead : safe])
        del self._buffer[:safe]
        self._lead = 0
        return media


def _json_object(text: bytes) -> dict[str, Any]:
    try:
        value = json.loads(text or b"{}")
    except ValueError:
        raise invalid("The metadata part of the multipart body is not JSON.") from None
    if not isinstance(value, dict):
        raise invalid("The metadata part of the multipart body is not a JSON object.")
    return cast(dict[str, Any], value)


def _content_type(headers: bytes) -> str | None:
    for line in headers.splitlines():
        name, _, text = line.partition(b":")
        if name.strip().lower() == b"content-type":
            return text.strip().decode("latin-1")
    return None
