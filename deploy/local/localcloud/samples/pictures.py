"""Draws pictures with readable words on them, and writes them with a camera's EXIF."""

import random
from collections.abc import Sequence
from pathlib import Path

from PIL import ExifTags, Image, ImageDraw, ImageFont

Colour = tuple[int, int, int]
_INK: Colour = (24, 28, 36)


def draw_card(size: tuple[int, int], paper: Colour, lines: Sequence[str], font_size: float = 44) -> Image.Image:
    """Words in the middle of a coloured card."""
    image = Image.new("RGB", size, paper)
    pen = ImageDraw.Draw(image)
    font = ImageFont.load_default(font_size)
    ink = _INK if sum(paper) > 330 else (250, 250, 250)
    top = (size[1] - len(lines) * font_size * 1.4) / 2
    for line in lines:
        pen.text(((size[0] - font.getlength(line)) / 2, top), line, fill=ink, font=font)
        top += font_size * 1.4
    return image


def draw_harbour(size: tuple[int, int], sign: Sequence[str], seed: int) -> Image.Image:
    """Evening sky, sea, a red boat, and a sign to be read."""
    width, height = size
    chance = random.Random(seed)  # noqa: S311 - a picture, not a secret
    image = Image.linear_gradient("L").resize(size)
    image = Image.merge("RGB", [image.point([min(base + v // 3, 255) for v in range(256)]) for base in (120, 110, 160)])
    pen = ImageDraw.Draw(image)
    horizon = height * 11 // 20
    pen.rectangle((0, horizon, width, height), fill=(28, 66, 104))
    for _ in range(160):
        x, y = chance.randrange(width), chance.randrange(horizon, height)
        pen.line((x, y, x + 30, y), fill=(70, 116, 156), width=2)
    pen.ellipse((width * 7 // 10, horizon - 130, width * 7 // 10 + 110, horizon - 20), fill=(252, 214, 120))
    boat = width // 6
    pen.polygon(
        [(boat, horizon + 40), (boat + 240, horizon + 40), (boat + 200, horizon + 100), (boat + 40, horizon + 100)],
        fill=(178, 34, 34),
    )
    pen.polygon(
        [(boat + 120, horizon - 140), (boat + 120, horizon + 30), (boat + 220, horizon + 30)], fill=(246, 244, 236)
    )
    card = draw_card((width // 2, 64 * len(sign) + 40), (250, 246, 230), sign)
    image.paste(card, (width - card.width - 40, height - card.height - 40))
    return image


def save_photo(image: Image.Image, path: Path, camera: tuple[str, str], taken: str, place: tuple[float, float]) -> None:
    """JPEG with maker, model, time (``YYYY:MM:DD HH:MM:SS``) and place (degrees north, east)."""
    exif = Image.Exif()
    exif[ExifTags.Base.Make], exif[ExifTags.Base.Model] = camera
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = taken
    exif.get_ifd(ExifTags.IFD.GPSInfo).update(
        {
            ExifTags.GPS.GPSLatitudeRef: "N" if place[0] >= 0 else "S",
            ExifTags.GPS.GPSLatitude: _sexagesimal(abs(place[0])),
            ExifTags.GPS.GPSLongitudeRef: "E" if place[1] >= 0 else "W",
            ExifTags.GPS.GPSLongitude: _sexagesimal(abs(place[1])),
        }
    )
    image.save(path, "JPEG", quality=88, exif=exif)


def _sexagesimal(degrees: float) -> tuple[float, float, float]:
    minutes = (degrees % 1) * 60
    return float(int(degrees)), float(int(minutes)), round((minutes % 1) * 60, 3)
