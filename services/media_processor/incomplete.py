"""Reads as much of a damaged or unfinished picture as is there, and tells how much is not."""

import contextlib
import struct
from collections.abc import Generator

from PIL import Image, ImageFile

from media_processor import formats

DAMAGE = (OSError, SyntaxError, ValueError, EOFError, struct.error)
"""What Pillow raises for a picture that it cannot read."""

MOST_MISSING = 1 / 3
"""Share of a picture's rows; beyond it, it is refused: half a download is to be sent again."""

READABLE = frozenset({formats.JPEG, formats.PNG, formats.BMP, formats.TIFF})
"""Formats whose decoders give the rows that are there; the others give all or nothing."""

_GREY = 128
_NEARLY_GREY = range(_GREY - 2, _GREY + 3)


@contextlib.contextmanager
def tolerated() -> Generator[None]:
    """Within it, Pillow leaves out what it cannot read of a picture or beside one."""
    before = ImageFile.LOAD_TRUNCATED_IMAGES
    ImageFile.LOAD_TRUNCATED_IMAGES = True
    try:
        yield
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = before


def prepare(image: Image.Image) -> None:
    """Before an opened picture is decoded: what is missing of it shall be grey, as a JPEG's already is, not black."""
    bands = len(image.getbands())
    grey = 0 if image.mode == "1" else _GREY if bands == 1 else (_GREY,) * bands
    image.im = Image.new(image.mode, image.size, grey).im


def share_missing(image: Image.Image) -> float:
    """The share of rows that a decoded picture, for which ``prepare`` was called, does not have."""
    missing = sum(_is_missing(image.crop((0, y, image.width, y + 1))) for y in range(image.height))
    return missing / image.height


def _is_missing(row: Image.Image) -> bool:
    extrema = row.getextrema()
    values = [value for band in extrema for value in (band if isinstance(band, tuple) else (band,))]
    return not any(values) if row.mode == "1" else all(round(value) in _NEARLY_GREY for value in values)
