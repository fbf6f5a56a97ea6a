"""Turns a TIFF of several pages, as scanners and fax machines write them, into a picture of each."""

import contextlib
from collections.abc import Iterator

from PIL import Image
from PIL.TiffImagePlugin import TiffImageFile

from contracts.artifacts import Degradation, FailureCode, Locator
from eventing.errors import Reject
from media_processor import colour_profiles, incomplete, pictures
from media_processor.kinds.row import Shot, Source

_PAGE_BOX = (pictures.READING_SIDE, pictures.READING_SIDE)
_SUBFILE_TYPE, _NO_PAGE = 254, 0b101
"""The tag that tells a page from a smaller copy or a mask of one, and its bits."""


def frames(image: Image.Image, most: int) -> list[int]:
    """The frames of an opened TIFF that are pages. Raises ``Reject(resource_limit)`` for more than ``most``."""
    found = [0]
    if not isinstance(image, TiffImageFile):
        return found
    with contextlib.suppress(*incomplete.DAMAGE, TypeError, KeyError):
        if image.n_frames > most:
            raise Reject(FailureCode.RESOURCE_LIMIT, f"The file has {image.n_frames} pages; {most} are allowed.")
        for frame in range(1, image.n_frames):
            image.seek(frame)
            if not image.tag_v2.get(_SUBFILE_TYPE, 0) & _NO_PAGE:
                found.append(frame)
    image.seek(0)
    return found


def drawn(source: Source, pages: list[int], notes: list[Degradation]) -> Iterator[Shot]:
    """Those frames in order. A page that cannot be read is left out, and that is added to the notes."""
    for number, frame in enumerate(pages, start=1):
        try:
            yield Shot(_page(source, frame), Locator(page=number))
        except incomplete.DAMAGE:
            notes.append(Degradation(step=f"page {number}", reason="The page is damaged or cut off."))
        except Reject as reject:
            notes.append(Degradation(step=f"page {number}", reason=reject.message))


def _page(source: Source, frame: int) -> Image.Image:
    with Image.open(source.path, formats=["TIFF"]) as image:
        image.seek(frame)
        pictures.check_pixels(*image.size, source.limits.max_pixels)
        image.load()  # Pillow turns it as its tags say
        profile = image.info.get("icc_profile")
        page = pictures.blendable(image)
        page.thumbnail(_PAGE_BOX, Image.Resampling.BICUBIC)
        return colour_profiles.in_srgb(page, profile).copy()
