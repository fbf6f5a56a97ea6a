"""Turns a presentation (pptx) into text per slide: shapes, tables and speaker notes."""

from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO
from zipfile import BadZipFile, ZipFile

from lxml.etree import XMLSyntaxError
from PIL import Image
from pptx.exc import PackageNotFoundError
from pptx.opc.package import PartFactory
from pptx.package import Package
from pptx.parts.presentation import PresentationPart
from pptx.presentation import Presentation

from contracts.artifacts import FailureCode, Locator, MaterialText, TextSource
from eventing.errors import Reject
from media_processor import formats
from media_processor.documents import office
from media_processor.documents.content import SECTION_LENGTH, Content, embedded_picture
from media_processor.kinds.row import Source
from media_processor.text_encoding import clip

_THUMBNAIL = "docProps/thumbnail.jpeg"


def read(source: Source) -> Content:
    """Raises ``Reject(corrupt)``."""
    try:
        with office.opened(source.path) as file:
            presentation = _presentation(file)
        texts = [_slide(number, slide) for number, slide in enumerate(presentation.slides, start=1)]
        facts = presentation.core_properties
    except (BadZipFile, PackageNotFoundError, XMLSyntaxError, KeyError, ValueError, TypeError, AttributeError) as error:
        raise Reject(FailureCode.CORRUPT, "The presentation is damaged.") from error
    return Content(
        texts=texts,
        title=facts.title or (texts[0].locator.section if texts else "") or "",
        author=facts.author,
        language=facts.language,
        page_count=len(texts),
        tags={"subject": facts.subject, "keywords": facts.keywords},
        cover=lambda: _stored_thumbnail(source),
    )


def _presentation(file: BinaryIO) -> Presentation:
    PartFactory.part_type_for.update(dict.fromkeys(office.main_types(formats.PPTX), PresentationPart))
    part = Package.open(file).main_document_part
    if not isinstance(part, PresentationPart):
        raise TypeError("the main part is not a presentation")
    return part.presentation


def _slide(number: int, slide: Any) -> MaterialText:
    lines = list(_lines(slide.shapes))
    if slide.has_notes_slide and slide.notes_slide.notes_text_frame is not None:
        lines.append(slide.notes_slide.notes_text_frame.text)
    title = slide.shapes.title.text if slide.shapes.title is not None else ""
    locator = Locator(page=number, section=clip(title, SECTION_LENGTH) or None)
    return MaterialText(text="\n".join(lines), locator=locator, source=TextSource.TEXT)


def _lines(shapes: Iterable[Any]) -> Iterator[str]:
    for shape in shapes:
        if hasattr(shape, "shapes"):
            yield from _lines(shape.shapes)
        elif getattr(shape, "has_table", False):
            for row in shape.table.rows:
                yield " | ".join(cell.text.strip() for cell in row.cells)
        elif shape.has_text_frame and shape.text_frame.text.strip():
            yield shape.text_frame.text.replace("\v", "\n")


def _stored_thumbnail(source: Source) -> Image.Image | None:
    with ZipFile(source.path) as archive:
        if _THUMBNAIL not in archive.namelist():
            return None
        return embedded_picture(archive.read(_THUMBNAIL), source.limits.max_pixels)
