"""Turns a still picture into EXIF facts, a thumbnail and a picture of at most 1024 px for analysis, or pieces of it.

Pixels are decoded once, reduced while decoding where the format allows it (JPEG).
"""

import contextlib
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from PIL import ExifTags, Image, PngImagePlugin

from contracts.artifacts import Degradation, FailureCode, Locator, MediaProperties
from eventing.errors import Reject
from media_processor import colour_profiles, formats, heif, incomplete, pictures, pieces, tiff_pages
from media_processor.decoded import DecodedFile
from media_processor.formats import Format
from media_processor.kinds.row import Note, Prepared, Shot, Source
from media_processor.text_encoding import clip

_NOT_SHOWN_BY_BROWSERS = frozenset({formats.HEIC, formats.TIFF})

_ANIMATED = frozenset({formats.GIF, formats.PNG, formats.WEBP, formats.AVIF})
"""Formats whose frames follow each other in time. Those of a TIFF are pages, those of a JPEG views of one scene."""

_LONGEST_NOTE = 16 * 1024 * 1024
"""What a PNG may carry as one text or colour profile, unpacked: programs that paint store their work in it."""

_NEARLY = 0.9
"""A 12 megapixel photo at a quarter is 1000 px wide: decoding it at a half, to have 1024, takes twice as long."""

_TAG_NAMES = {
    ExifTags.Base.ImageDescription: "description",
    ExifTags.Base.Artist: "artist",
    ExifTags.Base.Copyright: "copyright",
    ExifTags.Base.XPTitle: "title",
    ExifTags.Base.XPKeywords: "keywords",
    ExifTags.Base.XPComment: "comment",
}


@dataclass(frozen=True)
class OpenedImage:
    """An upright picture of at most analysis size, and what was read off the original.

    ``long``: the picture again, of the size at which it is read in pieces; None if it is read as a whole.
    ``pages``: draws the pages of a TIFF that has several, the first of which is the picture.
    """

    format: Format
    picture: Image.Image
    width: int
    height: int
    frame_count: int
    exif: Image.Exif
    long: Image.Image | None = None
    page_count: int | None = None
    pages: Callable[[], Iterator[Shot]] | None = None
    degradations: list[Degradation] = field(default_factory=list[Degradation])


def validate(source: Source) -> OpenedImage:
    """Decodes the picture (the first frame or page if it has several). Raises ``Reject``."""
    Image.MAX_IMAGE_PIXELS = None  # our own limit refuses with a reason
    PngImagePlugin.MAX_TEXT_CHUNK = _LONGEST_NOTE
    if source.format is formats.HEIC:
        return _heic(source)
    try:
        try:
            return _opened(source, is_damaged=False)
        except incomplete.DAMAGE:
            if source.format not in incomplete.READABLE:
                raise
            with incomplete.tolerated():
                return _opened(source, is_damaged=True)
    except incomplete.DAMAGE as error:
        raise _corrupt() from error


def metadata(opened: OpenedImage) -> MediaProperties:
    """Dimensions as seen, frame count, and camera, time and place from EXIF."""
    exif = opened.exif
    details = exif.get_ifd(ExifTags.IFD.Exif)
    latitude, longitude = _place(exif.get_ifd(ExifTags.IFD.GPSInfo))
    maker, model = _text(exif.get(ExifTags.Base.Make)), _text(exif.get(ExifTags.Base.Model))
    camera = model if maker and model.startswith(maker) else f"{maker} {model}".strip()
    tags = {name: _text(exif.get(tag)) for tag, name in _TAG_NAMES.items()}
    return MediaProperties(
        width=opened.width,
        height=opened.height,
        frame_count=opened.frame_count if opened.frame_count > 1 else None,
        page_count=opened.page_count,
        camera=camera[:200] or None,
        taken_at=_taken_at(details, exif),
        latitude=latitude,
        longitude=longitude,
        title=tags.pop("title") or None,
        author=tags.get("artist") or None,
        tags={name: value for name, value in tags.items() if value},
    )


def thumbnail(opened: OpenedImage) -> Image.Image:
    """The picture itself."""
    return opened.picture


def prepare(opened: OpenedImage) -> Prepared:
    """One picture for the analyzer to look at and read, or the pieces of a long one, or the pages of a TIFF."""
    if opened.pages is not None:
        return Prepared(shots=opened.pages(), degradations=opened.degradations)
    if opened.long is None:
        return Prepared(shots=iter([Shot(opened.picture, Locator())]), degradations=opened.degradations)
    reason = "The picture is so long that the text in its first part only is read."
    notes = [Degradation(step="text", reason=reason)] if pieces.is_shortened((opened.width, opened.height)) else []
    shots = (Shot(piece, Locator()) for piece in pieces.cut(opened.long))
    return Prepared(shots=shots, degradations=opened.degradations + notes)


def preview(opened: OpenedImage, output: Path, _note: Note) -> DecodedFile | None:
    """A picture of analysis size for browsers that do not show the format, which most do not."""
    if opened.format not in _NOT_SHOWN_BY_BROWSERS:
        return None
    name = "preview.jpg"
    pictures.save_for_people(opened.picture, output / name)
    return DecodedFile(name=name, media_type="image/jpeg")


def _heic(source: Source) -> OpenedImage:
    picture = heif.open_heic(source.path, source.limits.max_pixels)
    profile = picture.info.get("icc_profile")
    small = colour_profiles.in_srgb(pictures.shrunk(picture, pictures.ANALYSIS_BOX), profile)
    long = colour_profiles.in_srgb(pieces.to_read(picture), profile) if pieces.is_long(picture.size) else None
    return OpenedImage(source.format, small, *picture.size, 1, heif.read_exif(source.path), long)


def _opened(source: Source, *, is_damaged: bool) -> OpenedImage:
    with Image.open(source.path, formats=[source.format.name.upper()]) as image:
        return _decoded(image, source, is_damaged=is_damaged)


def _corrupt() -> Reject:
    return Reject(FailureCode.CORRUPT, "The picture is damaged or cut off.")


def _decoded(image: Image.Image, source: Source, *, is_damaged: bool) -> OpenedImage:
    width, height = image.size
    pictures.check_pixels(width, height, source.limits.max_pixels)
    frames = _frame_count(image) if source.format in _ANIMATED else 1
    pages = tiff_pages.frames(image, source.limits.max_pages) if source.format is formats.TIFF else []
    is_long = pieces.is_long(image.size)
    _draft(image, pieces.scale_of(image.size) if is_long else _scale_to_analysis(image.size))
    notes: list[Degradation] = []
    if is_damaged:
        incomplete.prepare(image)
    exif = _exif(image)
    image.load()
    if is_damaged:
        notes.append(_what_is_missing(image))
    profile = image.info.get("icc_profile")
    image = pictures.blendable(image)
    orientation = exif.get(ExifTags.Base.Orientation)
    long = (
        _turned(colour_profiles.in_srgb(pieces.to_read(image, orientation), profile), orientation) if is_long else None
    )
    image.thumbnail(pictures.ANALYSIS_BOX, Image.Resampling.BICUBIC)
    small = _turned(colour_profiles.in_srgb(image, profile).copy(), orientation)
    if orientation in range(5, 9):
        width, height = height, width
    opened = OpenedImage(source.format, small, width, height, frames, exif, long, degradations=notes)
    return _with_pages(opened, source, pages) if len(pages) > 1 else opened


def _exif(image: Image.Image) -> Image.Exif:
    if image.format == "PNG":
        image.load()  # notes may follow the pixels, which Pillow then decodes to find them
    exif = Image.Exif()
    with contextlib.suppress(*incomplete.DAMAGE, TypeError, KeyError):
        exif = image.getexif()
        for directory in (ExifTags.IFD.Exif, ExifTags.IFD.GPSInfo):
            exif.get_ifd(directory)  # a TIFF's are read from the file, which is closed when the facts are asked for
    return exif


def _what_is_missing(image: Image.Image) -> Degradation:
    """Raises ``Reject(corrupt)`` where that is too much."""
    share = incomplete.share_missing(image)
    if share > incomplete.MOST_MISSING:
        raise _corrupt()
    missing = "nothing seems to be missing"
    if share:
        missing = f"about {max(round(share * 100), 1)} % of the picture is missing"
    elif image.info.get("progressive"):
        missing = "the picture may lack detail"
    return Degradation(step="picture", reason=f"The file is damaged or cut off; {missing}.")


def _with_pages(opened: OpenedImage, source: Source, frames: list[int]) -> OpenedImage:
    read = frames[: source.limits.max_scans]
    notes = list(opened.degradations)
    if len(frames) > len(read):
        reason = f"The file has {len(frames)} pages; the text in the first {len(read)} is read."
        notes.append(Degradation(step="scans", reason=reason))
    draw = partial(tiff_pages.drawn, source, read, notes)
    return replace(opened, page_count=len(frames), pages=draw, long=None, degradations=notes)


def _scale_to_analysis(size: tuple[int, int]) -> float:
    return min(side / whole for side, whole in zip(pictures.ANALYSIS_BOX, size, strict=True))


def _draft(image: Image.Image, scale: float) -> None:
    """Lets a JPEG be decoded at a half, a quarter or an eighth, where that leaves nearly the size that is wanted."""
    if scale * _NEARLY < 1:
        image.draft("RGB", (int(image.width * scale * _NEARLY), int(image.height * scale * _NEARLY)))


def _turned(image: Image.Image, orientation: int | None) -> Image.Image:
    if orientation not in range(2, 9):
        return image
    image.getexif()[ExifTags.Base.Orientation] = orientation
    return pictures.upright(image)


def _frame_count(image: Image.Image) -> int:
    with contextlib.suppress(OSError, EOFError, SyntaxError, ValueError):
        frames: int = getattr(image, "n_frames", 1)
        image.seek(0)
        return frames
    return 1


def _text(value: Any) -> str:
    if isinstance(value, tuple):  # the XP tags: UTF-16 as a tuple of bytes
        with contextlib.suppress(ValueError, TypeError):
            return clip(bytes(value).decode("utf-16-le", "replace"), 500)
        return ""
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    return clip(value, 500) if isinstance(value, str) else ""


def _taken_at(details: dict[int, Any], exif: Image.Exif) -> datetime | None:
    written = _text(details.get(ExifTags.Base.DateTimeOriginal)) or _text(exif.get(ExifTags.Base.DateTime))
    offset = _text(details.get(ExifTags.Base.OffsetTimeOriginal))
    with contextlib.suppress(ValueError):
        return datetime.strptime(written + offset, "%Y:%m:%d %H:%M:%S%z")
    with contextlib.suppress(ValueError):  # a camera without a zone: its clock is all there is
        return datetime.strptime(written, "%Y:%m:%d %H:%M:%S").replace(tzinfo=UTC)
    return None


def _place(gps: dict[int, Any]) -> tuple[float | None, float | None]:
    latitude = _degrees(gps.get(ExifTags.GPS.GPSLatitude), gps.get(ExifTags.GPS.GPSLatitudeRef), 90)
    longitude = _degrees(gps.get(ExifTags.GPS.GPSLongitude), gps.get(ExifTags.GPS.GPSLongitudeRef), 180)
    return (None, None) if latitude is None or longitude is None else (latitude, longitude)


def _degrees(parts: Any, reference: Any, limit: int) -> float | None:
    with contextlib.suppress(TypeError, ValueError, ZeroDivisionError):
        degrees, minutes, seconds = (float(p) for p in parts)
        value = degrees + minutes / 60 + seconds / 3600
        if math.isfinite(value) and abs(value) <= limit:
            return round(-value if str(reference).strip("\0") in {"S", "W"} else value, 7)
    return None
