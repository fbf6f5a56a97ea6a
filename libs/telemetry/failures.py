"""Turns an exception into what may be written down about it: never a sentence that could quote a file or a secret."""

import errno
import traceback
from pathlib import Path

_OURS = frozenset(
    {"analyzer", "contracts", "database", "embedder", "embeddings", "eventing", "hosting", "identity"}
    | {"media_processor", "objectstore", "providers", "search", "telemetry", "upload_gateway"}
)
"""Packages whose own exceptions say only what we wrote; any other's message may quote what it was given."""

_LIBRARIES = "site-packages"
_FRAMES = 4
_LONGEST = 300


def describe(error: BaseException) -> str:
    """The kind of failure, our own words for it if there are any, and where it came from; at most a few hundred
    characters, the same for the same defect.
    """
    name = type(error).__name__
    if type(error).__module__.partition(".")[0] in _OURS:
        return f"{name}: {error}"[:_LONGEST]
    state = getattr(error, "sqlstate", None) or getattr(getattr(error, "orig", None), "sqlstate", None)
    if state:
        name = f"{name} {state}"
    if isinstance(error, OSError) and error.errno is not None:
        name = f"{name} {errno.errorcode.get(error.errno, error.errno)}"
    where = whereabouts(error)
    return f"{name} at {where}"[:_LONGEST] if where else name


def whereabouts(error: BaseException) -> str:
    """Where it was raised and the frames of our own code around it: ``decode (pdf.py:12) < run (work.py:80)``."""
    every = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in every[:-1] if _LIBRARIES not in frame.filename]
    frames = [*ours[1 - _FRAMES :], *every[-1:]]
    return " < ".join(f"{frame.name} ({Path(frame.filename).name}:{frame.lineno})" for frame in reversed(frames))


def story(error: BaseException) -> str:
    """The failure and what caused it, outermost first, for one log line."""
    parts: list[str] = []
    seen: BaseException | None = error
    while seen is not None and len(parts) < _FRAMES:
        where = whereabouts(seen)
        told = describe(seen)
        parts.append((told if not where or where in told else f"{told} at {where}")[:_LONGEST])
        seen = seen.__cause__ or (None if seen.__suppress_context__ else seen.__context__)
    return "; caused by ".join(parts)
