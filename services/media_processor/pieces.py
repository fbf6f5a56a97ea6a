"""Turns a picture too long to be read at once into pieces, cut where it is most even: between lines, beside words."""

from collections.abc import Iterator

from PIL import Image

from media_processor.pictures import READING_SIDE

LONGEST = 24_000
"""Sixteen pieces and more: a minute of reading."""

_BOTTOM_FIRST, _RIGHT_FIRST = frozenset({3, 4, 6, 7}), frozenset({2, 3, 7, 8})
"""EXIF orientations in which the lower end of what is stored tall, the right one of what is wide, is seen first."""

_LONG = 3
_MARGIN = 3
_EVEN = 24
_OVERLAP = 160
"""Where no place is even, a line is cut through: it stands whole in one of two pieces that overlap."""


def is_long(size: tuple[int, int]) -> bool:
    """True where letters would be lost if the whole were brought to analysis size."""
    return max(size) > _LONG * min(size)


def scale_of(size: tuple[int, int]) -> float:
    """What a long picture is brought to, to be read: its shorter side becomes a piece's, never enlarged."""
    return min(READING_SIDE / min(size), 1.0)


def is_shortened(size: tuple[int, int]) -> bool:
    """True where only the beginning of a long picture is read."""
    return max(size) * scale_of(size) > LONGEST


def to_read(image: Image.Image, orientation: int | None = None) -> Image.Image:
    """A long picture, or what is its beginning once it is turned as EXIF says, at the size at which it is cut."""
    scale = scale_of(image.size)
    width, height = (min(side, LONGEST / scale) for side in image.size)
    size = (max(round(width * scale), 1), max(round(height * scale), 1))
    begins_last = orientation in (_BOTTOM_FIRST if image.height > image.width else _RIGHT_FIRST)
    left, top = (image.width - width, image.height - height) if begins_last else (0, 0)
    box = (left, top, left + width, top + height)
    return image.resize(size, Image.Resampling.BICUBIC, box=box, reducing_gap=2.0)


def cut(image: Image.Image) -> Iterator[Image.Image]:
    """From top to bottom, or from left to right."""
    is_tall = image.height >= image.width
    grey = image.convert("L") if is_tall else image.convert("L").transpose(Image.Transpose.TRANSPOSE)
    start = end = 0
    while end < grey.height:
        end, next_start = _end(grey, start)
        yield image.crop((0, start, image.width, end) if is_tall else (start, 0, end, image.height))
        start = next_start


def _end(grey: Image.Image, start: int) -> tuple[int, int]:
    """Where the piece that begins at ``start`` ends, and where the next one begins."""
    if grey.height - start <= READING_SIDE:
        return grey.height, grey.height
    rows = range(start + READING_SIDE * 3 // 4, start + READING_SIDE)
    contrasts = [_contrast(grey, row) for row in rows]
    nearby = [max(contrasts[max(at - _MARGIN, 0) : at + _MARGIN + 1]) for at in range(len(rows))]
    best = min(range(len(rows)), key=lambda at: (nearby[at], -at))
    return rows[best], rows[best] - (0 if nearby[best] <= _EVEN else _OVERLAP)


def _contrast(grey: Image.Image, row: int) -> int:
    darkest, brightest = grey.crop((0, row, grey.width, row + 1)).getextrema()
    assert isinstance(darkest, int)
    assert isinstance(brightest, int)
    return brightest - darkest
