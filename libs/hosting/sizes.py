"""Turns numbers of bytes into what is said of them to people: that a file is larger than is allowed."""

from hosting.ranges import MEBIBYTE


def in_mebibytes(size_bytes: int) -> str:
    """``100 MiB``, ``1.9 MiB``; bytes where that would say nothing."""
    if size_bytes < MEBIBYTE / 10:
        return in_bytes(size_bytes)
    return f"{size_bytes / MEBIBYTE:.1f}".removesuffix(".0") + " MiB"


def told_apart(size_bytes: int, other_bytes: int) -> tuple[str, str]:
    """Two sizes in mebibytes, or in bytes where they would read the same."""
    shown = in_mebibytes(size_bytes), in_mebibytes(other_bytes)
    return shown if shown[0] != shown[1] else (in_bytes(size_bytes), in_bytes(other_bytes))


def in_bytes(size_bytes: int) -> str:
    """``104,857,601 bytes``."""
    return f"{size_bytes:,} bytes"
