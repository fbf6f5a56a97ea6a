"""Turns the tags of a film's or recording's container into facts: where, when and with what it was made.

Phones write them under Apple's names (``com.apple.quicktime.…``), Android and editors under short ones.
"""

import contextlib
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from itertools import islice

from media_processor.text_encoding import clip

_TAGS_KEPT = 30
_NOISE = frozenset(
    {
        *("major_brand", "minor_version", "compatible_brands", "encoder", "handler_name", "vendor_id", "language"),
        *("duration", "bps", "number_of_frames", "number_of_bytes", "software"),
    }
)
_APPLE = "com.apple.quicktime."
_PLACES = (f"{_APPLE}location.iso6709", "location", "location-eng")
_TIMES = (f"{_APPLE}creationdate", "creation_time", "date")
_MAKERS, _MODELS = (f"{_APPLE}make", "make"), (f"{_APPLE}model", "model")
_FACTS = frozenset({*_PLACES, *_TIMES, *_MAKERS, *_MODELS} - {"date"})
_DIGITS = r"([+-]\d{2,7}(?:\.\d+)?)"
_ISO_6709 = re.compile(rf"^{_DIGITS}{_DIGITS}(?:[+-]\d+(?:\.\d+)?)?(?:CRS\w+)?/?$")
_FIRST_YEAR = 1971  # clocks that were never set write the start of their epoch


def read_tags(written: Mapping[str, str]) -> dict[str, str]:
    """Tags with lower-case names, clipped; without those about the container itself."""
    tags = {clip(k.lower(), 60): clip(v, 1000) for k, v in written.items()}
    return {k: v for k, v in tags.items() if k and v and k not in _NOISE and not k.startswith("_statistics")}


def beside_facts(tags: Mapping[str, str]) -> dict[str, str]:
    """At most 30 tags that say what no property says."""
    return dict(islice(((k, v) for k, v in tags.items() if k not in _FACTS), _TAGS_KEPT))


def place_of(tags: Mapping[str, str]) -> tuple[float | None, float | None]:
    """(latitude, longitude) in degrees from an ISO 6709 tag; two times None where there is none that makes sense."""
    found = _ISO_6709.match(_first(tags, _PLACES))
    if not found:
        return None, None
    latitude, longitude = _degrees(found[1], whole=2), _degrees(found[2], whole=3)
    return (latitude, longitude) if abs(latitude) <= 90 and abs(longitude) <= 180 else (None, None)


def time_of(tags: Mapping[str, str]) -> datetime | None:
    """When it was recorded; a time without a zone is taken for UTC."""
    with contextlib.suppress(ValueError, OverflowError):
        written = _first(tags, _TIMES)
        taken = datetime.fromisoformat(written) if len(written) > len("2025-01-01") else None
        if taken and taken.year >= _FIRST_YEAR:
            return taken if taken.tzinfo else taken.replace(tzinfo=UTC)
    return None


def camera_of(tags: Mapping[str, str]) -> str:
    """Maker and model; empty when the file does not say."""
    maker, model = _first(tags, _MAKERS), _first(tags, _MODELS)
    return clip(model if maker and model.startswith(maker) else f"{maker} {model}", 200)


def _first(tags: Mapping[str, str], names: tuple[str, ...]) -> str:
    return next((tags[name] for name in names if name in tags), "")


def _degrees(written: str, *, whole: int) -> float:
    """Degrees, degrees and minutes, or degrees, minutes and seconds, told apart by the digits before the point."""
    sign, digits = -1 if written[0] == "-" else 1, written[1:]
    integer, _, fraction = digits.partition(".")
    beyond = len(integer) - whole
    if beyond not in {2, 4}:
        return round(sign * float(digits), 7)
    degrees, rest = float(integer[:whole]), integer[whole:] + (f".{fraction}" if fraction else "")
    minutes = float(rest) if beyond == 2 else float(rest[:2]) + float(rest[2:]) / 60
    return round(sign * (degrees + minutes / 60), 7)
