"""The first bytes of a file without a byte order mark into whether it is UTF-16: by one rule at the door and later."""

_HEAD_BYTES = 4096
_LEAST_PAIRS = 4
_MOSTLY, _HARDLY = 0.6, 0.01
"""Shares of NULs among the bytes of one half of every letter, in a text that is mostly Latin."""


def utf16_without_mark(head: bytes) -> str | None:
    """The encoding of text with a NUL beside nearly every letter; None for other bytes."""
    first, second = head[0:_HEAD_BYTES:2], head[1:_HEAD_BYTES:2]
    if len(second) < _LEAST_PAIRS:
        return None
    share_of_first, share_of_second = first.count(0) / len(first), second.count(0) / len(second)
    if share_of_second > _MOSTLY and share_of_first < _HARDLY:
        return "utf-16-le"
    return "utf-16-be" if share_of_first > _MOSTLY and share_of_second < _HARDLY else None
