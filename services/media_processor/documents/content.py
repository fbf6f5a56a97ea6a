"""What every document reader gives: text with places, facts, and how to draw the first page."""

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from PIL import Image

from contracts.artifacts import Degradation, Locator, MaterialText, TextSource
from media_processor import pictures
from media_processor.kinds.row import Shot
from media_processor.text_encoding import ReadText, clip

SECTION_LENGTH = 300
"""The most characters a section's name has in a locator."""

_PLAIN_FORMATS = ["JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF"]


@dataclass
class Content:
    """A document that was read. ``cover`` draws its first page; ``pages`` are pictures of pages, some for OCR."""

    texts: list[MaterialText] = field(default_factory=list[MaterialText])
    title: str = ""
    author: str = ""
    language: str = ""
    page_count: int | None = None
    tags: dict[str, str] = field(default_factory=dict[str, str])
    cover: Callable[[], Image.Image | None] | None = None
    pages: Callable[[], Iterator[Shot]] = field(default=lambda: iter(()))
    degradations: list[Degradation] = field(default_factory=list[Degradation])


@dataclass
class Sections:
    """Collects paragraphs under the heading they stand under; a heading is kept with its text."""

    texts: list[MaterialText] = field(default_factory=list[MaterialText])
    heading: str = ""
    page: int | None = None
    _lines: list[str] = field(default_factory=list[str])

    def add(self, line: str) -> None:
        """One paragraph of the current section."""
        if line.strip():
            self._lines.append(line.rstrip())

    def start(self, heading: str, page: int | None = None) -> None:
        """Ends the section; the heading is the first line of the next one."""
        self.close()
        self.heading, self.page = clip(heading, SECTION_LENGTH), page
        self.add(heading.strip())

    def start_unnamed(self, name: str) -> None:
        """Ends the section; the next one bears this name in its locator, but its text does not start with it."""
        self.close()
        self.heading, self.page = clip(name, SECTION_LENGTH), None

    def close(self) -> list[MaterialText]:
        """Ends the last section; returns all."""
        if self._lines:
            locator = Locator(page=self.page, section=self.heading or None)
            self.texts.append(MaterialText(text="\n".join(self._lines), locator=locator, source=TextSource.TEXT))
        self._lines = []
        return self.texts


def cut_notes(is_cut: bool, limit: int) -> list[Degradation]:
    """Says so when only the start of a text was kept."""
    reason = f"Only the first {limit} characters of the file's text were kept."
    return [Degradation(step="text", reason=reason)] if is_cut else []


def read_notes(read: ReadText, limit: int) -> list[Degradation]:
    """Says what of a text file was not read: letters that are none, and what is beyond the limit."""
    letters = "1 letter" if read.damaged == 1 else f"{read.damaged} letters"
    reason = f"The text is damaged: {letters} could not be read."
    damaged = [Degradation(step="text", reason=reason)] if read.damaged else []
    return damaged + cut_notes(read.is_cut, limit)


def embedded_picture(data: bytes, max_pixels: int, longest: int = max(pictures.ANALYSIS_BOX)) -> Image.Image | None:
    """A picture stored inside the document, no side beyond ``longest``; None when it is not of a plain format.

    Raises ``Reject(resource_limit)`` for one of too many pixels.
    """
    Image.MAX_IMAGE_PIXELS = None  # our own limit refuses with a reason
    box = (longest, longest)
    try:
        with Image.open(io.BytesIO(data), formats=_PLAIN_FORMATS) as image:
            pictures.check_pixels(*image.size, max_pixels)
            image.draft("RGB", box)
            image.load()
            image.thumbnail(box)
            return pictures.as_rgb(image).copy()
    except (OSError, SyntaxError, ValueError):
        return None
