"""Turns a presentation (pptx) into text per slide, with charts, notes and comments, and pictures that are slides."""

from collections.abc import Iterable, Iterator
from functools import partial
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
from media_processor.documents import office, page_pictures
from media_processor.documents.content import SECTION_LENGTH, Content, embedded_picture
from media_processor.documents.page_pictures import LITTLE_TEXT, PICTURE_SHARE, StoredPicture
from media_processor.kinds.row import Source
from media_processor.text_encoding import clip

_THUMBNAIL = "docProps/thumbnail.jpeg"
_DAMAGE = (BadZipFile, PackageNotFoundError, XMLSyntaxError, KeyError, ValueError, TypeError, AttributeError)
_BESIDE = (*office.DRAWN, "/comments")
_BACKGROUND = "{http://schemas.openxmlformats.org/presentationml/2006/main}bg"
_BLIP = "{http://schemas.openxmlformats.org/drawingml/2006/main}blip"
_EMBED = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}embed"


def read(source: Source) -> Content:
    """Raises ``Reject(corrupt)``."""
    try:
        with office.opened(source.path) as file:
            presentation = _presentation(file)
        content = _read(presentation)
    except _DAMAGE as error:
        raise Reject(FailureCode.CORRUPT, "The presentation is damaged.") from error
    content.pages = lambda: page_pictures.shots(_pages(presentation), source.limits, content.degradations)
    content.cover = lambda: _cover(content, presentation, source)
    return content


def _presentation(file: BinaryIO) -> Presentation:
    PartFactory.part_type_for.update(dict.fromkeys(office.main_types(formats.PPTX), PresentationPart))
    part = Package.open(file).main_document_part
    if not isinstance(part, PresentationPart):
        raise TypeError("the main part is not a presentation")
    return part.presentation


def _read(presentation: Presentation) -> Content:
    known: set[str] = set()
    texts = [_slide(number, slide, known) for number, slide in enumerate(presentation.slides, start=1)]
    facts = presentation.core_properties
    return Content(
        texts=texts,
        title=facts.title or (texts[0].locator.section if texts else "") or "",
        author=facts.author,
        language=facts.language,
        page_count=len(texts),
        tags={"subject": facts.subject, "keywords": facts.keywords},
    )


def _slide(number: int, slide: Any, known: set[str]) -> MaterialText:
    lines = list(_lines(slide.shapes))
    if slide.has_notes_slide and slide.notes_slide.notes_text_frame is not None:
        lines.append(slide.notes_slide.notes_text_frame.text)
    lines += _beside(slide, known)
    title = slide.shapes.title.text if slide.shapes.title is not None else ""
    locator = Locator(page=number, section=clip(title, SECTION_LENGTH) or None)
    return MaterialText(text="\n".join(lines), locator=locator, source=TextSource.TEXT)


def _beside(slide: Any, known: set[str]) -> Iterator[str]:
    """Charts, diagrams and comments; a part that several slides refer to with the first of them."""
    for relation in slide.part.rels.values():
        if relation.is_external or not relation.reltype.endswith(_BESIDE) or relation.target_part.partname in known:
            continue
        known.add(relation.target_part.partname)
        yield from office.words(relation.target_part.blob)


def _pages(presentation: Presentation) -> list[StoredPicture]:
    """The pictures that take much of a slide with little text; one that stands on many slides, of the first."""
    found: dict[str, StoredPicture] = {}
    enough = (presentation.slide_width or 0) * (presentation.slide_height or 0) * PICTURE_SHARE
    for number, slide in enumerate(presentation.slides, start=1):
        if sum(map(len, _lines(slide.shapes))) > LITTLE_TEXT:
            continue
        for reference in _large_pictures(slide, enough):
            relation = slide.part.rels.get(reference)
            if relation is not None and not relation.is_external:
                part = relation.target_part
                found.setdefault(part.partname, StoredPicture(Locator(page=number), partial(_blob, part)))
    return list(found.values())


def _large_pictures(slide: Any, enough: float) -> Iterator[str]:
    """References to what fills the background, and shapes of that area or more, in order."""
    for background in slide.element.iter(_BACKGROUND):
        yield from (blip.get(_EMBED, "") for blip in background.iter(_BLIP))
    for shape in _single(slide.shapes):
        if (shape.width or 0) * (shape.height or 0) >= enough:
            yield from (blip.get(_EMBED, "") for blip in shape.element.iter(_BLIP))


def _single(shapes: Iterable[Any]) -> Iterator[Any]:
    for shape in shapes:
        if hasattr(shape, "shapes"):
            yield from _single(shape.shapes)
        else:
            yield shape


def _blob(part: Any) -> bytes:
    return part.blob


def _lines(shapes: Iterable[Any]) -> Iterator[str]:
    for shape in _single(shapes):
        if getattr(shape, "has_table", False):
            for row in shape.table.rows:
                yield " | ".join(cell.text.strip() for cell in row.cells)
        elif shape.has_text_frame and shape.text_frame.text.strip():
            yield shape.text_frame.text.replace("\v", "\n")


def _cover(content: Content, presentation: Presentation, source: Source) -> Image.Image | None:
    if not any(text.text.strip() for text in content.texts):  # what other programs store is an empty page then
        page = page_pictures.cover(_pages(presentation), source.limits)
        if page is not None:
            return page
    return _stored_thumbnail(source)


def _stored_thumbnail(source: Source) -> Image.Image | None:
    with ZipFile(source.path) as archive:
        if _THUMBNAIL not in archive.namelist():
            return None
        return embedded_picture(archive.read(_THUMBNAIL), source.limits.max_pixels)
