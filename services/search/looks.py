"""Turns a picture into 64 bits that say what it looks like: its copies, smaller or recompressed, differ in few of them.

Difference hash (Krawetz 2013): the picture as 9 by 8 grey dots, one bit for each pair of neighbours. Pure.
"""

from io import BytesIO

import numpy as np
from PIL import Image, ImageOps

MAX_PIXELS = 50_000_000
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP")

ALIKE = 10
"""Bits that may differ. Of two unlike pictures about 32 do; resized and recompressed copies differ in 0 to 6."""

_WIDTH, _HEIGHT = 9, 8
_LEAST_CONTRAST = 16
_FROM = (128, 128)


class PictureUnreadable(Exception):
    """Not one of ``FORMATS``, damaged, or of more than ``MAX_PIXELS``."""


def look_of(picture: bytes) -> int | None:
    """The 64 bits as a signed number, as Postgres keeps them; None for a picture that is all one shade.

    Raises :class:`PictureUnreadable`. Takes up to a second of one core for the largest pictures.
    """
    try:
        with Image.open(BytesIO(picture), formats=FORMATS) as image:
            if image.width * image.height > MAX_PIXELS:
                raise PictureUnreadable(f"{image.width} by {image.height} pixels are more than {MAX_PIXELS}")
            image.draft("L", _FROM)
            upright = ImageOps.exif_transpose(image).convert("L")
            dots = np.asarray(upright.resize((_WIDTH, _HEIGHT), Image.Resampling.BOX), np.int16)
    except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError) as error:
        raise PictureUnreadable(f"the picture cannot be decoded: {type(error).__name__}") from error
    if int(dots.max() - dots.min()) < _LEAST_CONTRAST:
        return None
    bits = (dots[:, 1:] > dots[:, :-1]).flatten()
    return int.from_bytes(np.packbits(bits).tobytes(), "big", signed=True)
