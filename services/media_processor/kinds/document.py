"""Turns a document into text with places, facts about it, its first page as a picture, and its pages without text.

Each format is one reader in ``documents``; all give the same ``Content``.
"""

from collections.abc import Callable

from PIL import Image

from contracts.artifacts import FailureCode, MediaProperties
from eventing.errors import Reject
from media_processor import archives, formats, pictures
from media_processor.documents import epub, mail, pdf, plain, rtf, sheets, slides, web, word
from media_processor.documents.content import Content
from media_processor.formats import Format
from media_processor.kinds.row import Prepared, Source
from media_processor.text_encoding import clip

_READERS: dict[Format, Callable[[Source], Content]] = {
    formats.PDF: pdf.read,
    formats.DOCX: word.read,
    formats.PPTX: slides.read,
    formats.XLSX: sheets.read,
    formats.EPUB: epub.read,
    formats.RTF: rtf.read,
    formats.HTML: web.read,
    formats.EML: mail.read,
    formats.MARKDOWN: plain.read_markdown,
    formats.CSV: plain.read_table,
    formats.TEXT: plain.read_plain,
}
_PLACEHOLDERS = frozenset({"untitled", "anonymous", "unspecified", "unknown", "none"})
_ZIPPED = frozenset({formats.DOCX, formats.PPTX, formats.XLSX, formats.EPUB})


def validate(source: Source) -> Content:
    """Reads the whole document. Raises ``Reject``."""
    if source.format in _ZIPPED:
        archives.check_unpacked_size(source.path, source.limits)
    content = _READERS[source.format](source)
    if content.page_count and content.page_count > source.limits.max_pages:
        raise Reject(
            FailureCode.RESOURCE_LIMIT,
            f"The document has {content.page_count} pages; {source.limits.max_pages} are allowed.",
        )
    return content


def metadata(content: Content) -> MediaProperties:
    """Page count, title, author and language as the document states them."""
    return MediaProperties(
        page_count=content.page_count,
        title=_stated(content.title),
        author=_stated(content.author),
        language=clip(content.language, 35) or None,
        tags={name: clip(value, 1000) for name, value in content.tags.items() if _stated(value)},
    )


def thumbnail(content: Content) -> Image.Image:
    """The first page or the cover the document brings; otherwise the start of its text drawn on a page."""
    if content.cover is not None and (cover := content.cover()) is not None:
        return cover
    start: list[str] = []
    for piece in content.texts[:40]:
        start.append(piece.text[:2000])
        if sum(map(len, start)) > 4000:
            break
    return pictures.draw_page(clip(content.title, 200), "\n\n".join(start))


def prepare(content: Content) -> Prepared:
    """The text, and pages as pictures: those without text to be read by the analyzer."""
    return Prepared(content.texts, content.pages(), content.degradations)


def _stated(value: str) -> str | None:
    text = clip(value, 500)
    return None if text.strip("() ").lower() in _PLACEHOLDERS else text or None
