"""Computes a picture's difference hash, 64 bits: those of resized or recompressed copies differ in few of them. Pure.

Krawetz 2013: the picture as 9 by 8 grey pixels, one bit for each pair of horizontal neighbours.
"""

from io import BytesIO

import numpy as np
from PIL import Image, ImageOps

MAX_PIXELS = 50_000_000
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP")

MAX_DIFFERING_BITS = 10
"""Bits that may differ. Unlike pictures differ in about 32; resized and recompressed copies in 0 to 6."""

_WIDTH, _HEIGHT = 9, 8
_LEAST_CONTRAST = 16
_FROM = (128, 128)
_WIDE_MODES = frozenset({"I", "F", "I;16", "I;16B", "I;16L", "I;16N"})


class PictureUnreadable(Exception):
    """The picture is not one of ``FORMATS``, damaged, or larger than ``MAX_PIXELS``."""


def difference_hash(picture: bytes) -> int | None:
    """Returns the 64 bits as a signed integer, as Postgres stores them; None for a picture of one shade.

    Raises :class:`PictureUnreadable`. Takes up to a second of one core for the largest pictures.
    """
    try:
        with Image.open(BytesIO(picture), formats=FORMATS) as image:
            if image.width * image.height > MAX_PIXELS:
                raise PictureUnreadable(f"{image.width} by {image.height} pixels are more than {MAX_PIXELS}")
            image.draft("L", _FROM)
            dots = np.asarray(_grey_dots(ImageOps.exif_transpose(image)), np.int16)
    except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError) as error:
        raise PictureUnreadable(f"the picture cannot be decoded: {type(error).__name__}") from error
    if int(dots.max() - dots.min()) < _LEAST_CONTRAST:
        return None
    bits = (dots[:, 1:] > dots[:, :-1]).flatten()
    return int.from_bytes(np.packbits(bits).tobytes(), "big", signed=True)


def _grey_dots(image: Image.Image) -> Image.Image:
    """Returns the picture as few pixels of 8 bits of grey.

    As media-processor draws thumbnails, of which the stored hashes are: transparency is white paper, and greys of
    16 bits are scaled to their range.
    """
    if image.mode in _WIDE_MODES:
        greys = np.asarray(_few(image.convert("F")))
        low, high = float(greys.min()), float(greys.max())
        return Image.fromarray(((greys - low) * (255 / max(high - low, 1))).astype(np.uint8))
    if image.has_transparency_data:
        dots = _few(image.convert("RGBA"))
        return Image.alpha_composite(Image.new("RGBA", dots.size, "white"), dots).convert("L")
    return _few(image.convert("L"))


def _few(image: Image.Image) -> Image.Image:
    return image.resize((_WIDTH, _HEIGHT), Image.Resampling.BOX)
