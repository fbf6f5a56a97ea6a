"""Turns pictures inside a document that are pages, or most of one, into pictures for OCR."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from PIL import Image

from contracts.artifacts import Degradation, Locator
from eventing.errors import Reject
from media_processor.decoded import DecodeLimits
from media_processor.documents.content import embedded_picture
from media_processor.kinds.row import Shot
from media_processor.pictures import READING_SIDE

LITTLE_TEXT, PICTURE_SHARE = 200, 0.2
"""A page with no more letters than that, of which a picture takes such a share, may well be a picture of text."""

_SMALLEST_SIDE = 100
_STEP = "scans"


@dataclass(frozen=True)
class StoredPicture:
    """A picture inside a document: its place, and how to get its bytes."""

    locator: Locator
    read: Callable[[], bytes]


def shots(found: list[StoredPicture], limits: DecodeLimits, degradations: list[Degradation]) -> Iterator[Shot]:
    """The first ``max_scans`` of them, to be read; of those left out ``degradations`` say how many."""
    unread = 0
    for picture in found[: limits.max_scans]:
        try:
            image = embedded_picture(picture.read(), limits.max_pixels, READING_SIDE)
        except Reject:
            image = None
        if image is None:
            unread += 1
        elif min(image.size) >= _SMALLEST_SIDE:
            yield Shot(image, picture.locator)
    if unread:
        reason = f"{unread} pictures that stand for pages are damaged, too large or of a format that is not read."
        degradations.append(Degradation(step=_STEP, reason=reason))
    if len(found) > limits.max_scans:
        reason = f"{len(found)} pictures stand for pages; the first {limits.max_scans} were taken for OCR."
        degradations.append(Degradation(step=_STEP, reason=reason))


def cover(found: list[StoredPicture], limits: DecodeLimits) -> Image.Image | None:
    """The first of them; for a document that has neither text nor a cover of its own."""
    return embedded_picture(found[0].read(), limits.max_pixels) if found else None
