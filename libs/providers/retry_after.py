"""Turns the ways in which a provider says when to come back into seconds."""

import math
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from time import time


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Seconds from ``Retry-After-Ms`` or ``Retry-After``, a number of seconds or a date; None when it says nothing.

    ``headers`` looks names up without regard to case, as HTTP clients' headers do.
    """
    in_ms = seconds_of(headers.get("retry-after-ms", ""))
    if in_ms is not None:
        return in_ms / 1000
    value = headers.get("retry-after", "")
    seconds = seconds_of(value)
    return seconds if seconds is not None else _seconds_until(value)


def seconds_of(text: str) -> float | None:
    """``17``, ``1.5`` or ``17s`` as seconds, never negative; None for anything else."""
    try:
        seconds = float(text.strip().removesuffix("s"))
    except ValueError:
        return None
    return max(0.0, seconds) if math.isfinite(seconds) else None


def _seconds_until(date: str) -> float | None:
    try:
        return max(0.0, parsedate_to_datetime(date).timestamp() - time())
    except ValueError:
        return None
