"""The ``Range`` of a download and the ``Content-Range`` of an upload chunk into numbers."""

import re
from dataclasses import dataclass

from localcloud.storage.errors import StorageError, invalid

_RANGE = re.compile(r"bytes=(\d{0,19})-(\d{0,19})")
_CONTENT_RANGE = re.compile(r"bytes (?:(\d{1,19})-(\d{1,19})|\*)/(\d{1,19}|\*)")


@dataclass(frozen=True)
class Span:
    """`length` bytes from `first` on."""

    first: int
    length: int


def requested_span(header: str | None, size: int) -> Span | None:
    """What a download asks for; None for everything (no range, or one RFC 9110 says to ignore); 416 past the end."""
    match = _RANGE.fullmatch(header.strip()) if header else None
    if match is None or match[1] == match[2] == "":
        return None
    if match[1] == "":
        first, last = max(0, size - int(match[2])), size - 1
    else:
        first, last = int(match[1]), min(int(match[2] or size), size - 1)
        if match[2] and int(match[2]) < first:
            return None
    if first >= size:
        message = f"Request range not satisfiable: the object has {size} bytes."
        headers = {"Content-Range": f"bytes */{size}"}
        raise StorageError(416, "requestedRangeNotSatisfiable", message, headers=headers)
    return Span(first, last - first + 1)


@dataclass(frozen=True)
class ChunkRange:
    """Which bytes a chunk carries. `first` is None for a status query; `length` and `total` where unknown."""

    first: int | None
    length: int | None
    total: int | None


def chunk_range(header: str | None) -> ChunkRange:
    """Of the ``Content-Range`` of a PUT to a session; without the header the request carries the whole object."""
    if header is None:
        return ChunkRange(0, None, None)
    match = _CONTENT_RANGE.fullmatch(header.strip())
    if match is None:
        raise invalid(f"Failed to parse Content-Range header: '{header}'")
    total = None if match[3] == "*" else int(match[3])
    if match[1] is None:
        return ChunkRange(None, None, total)
    first, last = int(match[1]), int(match[2])
    if last < first or (total is not None and last >= total):
        raise invalid(f"Invalid Content-Range: '{header}'")
    return ChunkRange(first, last - first + 1, total)
