"""Turns decoded pixels into what is stored: upright, small, RGB, and without any metadata of the original."""

from pathlib import Path

from PIL import Image, ImageDraw, ImageFont, ImageOps

from contracts.artifacts import FailureCode
from eventing.errors import Reject

THUMBNAIL_BOX = (300, 300)
ANALYSIS_BOX = (1024, 1024)
READING_SIDE = 1600
"""The longer side, in pixels, of a page or a piece of a picture that is read."""

PAGE_SIZE = (620, 877)
"""An A4 page at 75 dpi, on which text is drawn where a format has no pages of its own."""

_WORTH_BLENDING = 50_000_000
"""Pixels up to which a picture with a palette is given real colours first, so that shrinking can blend them."""

_Font = ImageFont.FreeTypeFont
_MARGIN = 48
_PAPER = (255, 255, 255)
_WIDE_MODES = frozenset({"I", "F", "I;16", "I;16B", "I;16L", "I;16N"})
_FONT_COVERS_BELOW = 0x0250  # the font inside Pillow has Latin letters only


def check_pixels(width: int, height: int, limit: int) -> None:
    """Raises ``Reject(resource_limit)`` for a picture of more pixels than allowed, before they are decoded."""
    if width < 1 or height < 1:
        raise Reject(FailureCode.CORRUPT, "The picture has no pixels.")
    if width * height > limit:
        message = f"The picture has {width} x {height} pixels, which is more than allowed."
        raise Reject(FailureCode.RESOURCE_LIMIT, message)


def shrunk(image: Image.Image, box: tuple[int, int]) -> Image.Image:
    """A copy that fits the box, never enlarged."""
    copy = image.copy()
    copy.thumbnail(box, Image.Resampling.LANCZOS, reducing_gap=2.0)
    return copy


def blendable(image: Image.Image) -> Image.Image:
    """A loaded picture, with real colours instead of a palette or two tones, so that shrinking can blend them."""
    if image.mode in {"P", "1"} and image.width * image.height <= _WORTH_BLENDING:
        return image.convert("RGBA" if image.has_transparency_data else "RGB")
    return image


def as_rgb(image: Image.Image) -> Image.Image:
    """8-bit RGB of any mode; transparency becomes white, 16-bit greys are scaled to their range."""
    if image.mode in _WIDE_MODES:
        return _scaled_grey(image).convert("RGB")
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        paper = Image.new("RGBA", rgba.size, (*_PAPER, 255))
        return Image.alpha_composite(paper, rgba).convert("RGB")
    return image if image.mode == "RGB" else image.convert("RGB")


def upright(image: Image.Image) -> Image.Image:
    """Turned the way its EXIF orientation says."""
    return ImageOps.exif_transpose(image)


def save_for_people(image: Image.Image, path: Path) -> None:
    """As the path's ending says: JPEG progressive at quality 85, or PNG; no metadata of the original."""
    if path.suffix == ".png":
        _bare(image).save(path, "PNG", optimize=True)
    else:
        _bare(image).save(path, "JPEG", quality=85, progressive=True, optimize=True)


def save_quickly(image: Image.Image, path: Path) -> None:
    """JPEG without the passes that make it progressive, which cost more than all the rest; a file may have many."""
    _bare(image).save(path, "JPEG", quality=88)


def _bare(image: Image.Image) -> Image.Image:
    bare = Image.new("RGB", image.size)
    bare.paste(as_rgb(image))
    return bare


def draw_page(title: str, text: str) -> Image.Image:
    """The start of a text as a page of paper. Scripts the font lacks are drawn as grey bars, word by word."""
    page = Image.new("RGB", PAGE_SIZE, _PAPER)
    pen = ImageDraw.Draw(page)
    top = _MARGIN
    if title:
        top = _draw_lines(pen, title[:200], top, _font(24), limit=3) + 14
    _draw_lines(pen, text[:6000], top, _font(13), limit=60)
    return page


def _font(size: float) -> _Font:
    font = ImageFont.load_default(size)
    assert isinstance(font, _Font)
    return font


def _draw_lines(pen: ImageDraw.ImageDraw, text: str, top: int, font: _Font, limit: int) -> int:
    height = int(font.size * 1.35)
    for line in _wrapped(text, font, PAGE_SIZE[0] - 2 * _MARGIN)[:limit]:
        if top + height > PAGE_SIZE[1] - _MARGIN:
            break
        left = float(_MARGIN)
        for word in line.split(" "):
            width = _word_width(word, font)
            if _drawable(word):
                pen.text((left, top), word, fill=(32, 32, 36), font=font)
            else:
                pen.rectangle((left, top + 2, left + width - 2, top + height - 5), fill=(170, 170, 176))
            left += width + font.size * 0.3
        top += height
    return top


def _wrapped(text: str, font: _Font, width: float) -> list[str]:
    lines: list[str] = []
    for paragraph in text.splitlines():
        line, used = "", 0.0
        for word in paragraph.split():
            needed = _word_width(word, font) + font.size * 0.3
            if line and used + needed > width:
                lines.append(line)
                line, used = "", 0.0
            line, used = f"{line} {word}".strip(), used + needed
        lines.append(line)
    return lines


def _word_width(word: str, font: _Font) -> float:
    return font.getlength(word) if _drawable(word) else len(word) * font.size * 0.7


def _drawable(word: str) -> bool:
    return all(ord(c) < _FONT_COVERS_BELOW or 0x2010 <= ord(c) <= 0x2026 for c in word)


def _scaled_grey(image: Image.Image) -> Image.Image:
    floats = image.convert("F")
    low, high = floats.getextrema()
    scale = 255.0 / (high - low) if high > low else 1.0  # type: ignore[operator]
    return floats.point(lambda v: v * scale - low * scale).convert("L")  # type: ignore[operator]
