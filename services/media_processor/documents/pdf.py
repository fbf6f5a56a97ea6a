"""Turns a PDF into text per page, with fields and notes, and pictures of its pages, large ones of those without text.

PDFium reads everything (structure too): it opens the damaged files people have, and is fast.
"""

import contextlib
import math
import time
from collections.abc import Iterator

import pypdfium2 as pdfium
import pypdfium2.internal as pdfium_i
import pypdfium2.raw as pdfium_c
from PIL import Image

from contracts.artifacts import Degradation, FailureCode, Locator, MaterialText, TextSource
from eventing.errors import Reject
from media_processor import pictures
from media_processor.documents import pdf_notes
from media_processor.documents.content import Content
from media_processor.documents.page_pictures import LITTLE_TEXT, PICTURE_SHARE
from media_processor.kinds.row import Shot, Source

_WHITE = (255, 255, 255, 255)
_TEXT_IS_MORE_THAN = 16
_MAX_PAGE_CHARS, _MAX_LANGUAGE_BYTES = 2_000_000, 200
_PICTURES_BUDGET_S = 20.0
"""For the one page of a thumbnail or a scan, and for all pages with text together. A page takes 1 to 15 ms; drawings of
a million lines take seconds, and the file has to be read in time."""


def read(source: Source) -> Content:
    """Raises ``Reject``: ``encrypted`` for a password that is not empty, ``corrupt``, ``resource_limit``."""
    document = _open(source)
    count = len(document)
    if count > source.limits.max_pages:
        raise Reject(FailureCode.RESOURCE_LIMIT, f"The PDF has {count} pages; {source.limits.max_pages} are allowed.")
    facts = document.get_metadata_dict(skip_empty=True)
    content = Content(page_count=count, title=facts.get("Title", ""), author=facts.get("Author", ""))
    content.language = _language(document)
    content.tags = {k.lower(): facts[k] for k in ("Subject", "Keywords") if k in facts}
    without_text: list[int] = []
    left = source.limits.max_text_chars
    for index in range(count):
        left -= _read_page(document, index, content, without_text)
        if left < 0:
            break  # what is beyond is dropped, and said to be, by whoever bounds the text
    scans = without_text[: source.limits.max_scans]
    if len(without_text) > len(scans):
        reason = f"{len(without_text)} pages are pictures; the first {len(scans)} were rendered for OCR."
        content.degradations.append(Degradation(step="scans", reason=reason))
    content.cover = lambda: _render(document, 0, pictures.ANALYSIS_BOX[0], _PICTURES_BUDGET_S)
    shown = range(min(count, source.limits.max_page_pictures))
    content.pages = lambda: _pages(document, shown, scans, content.degradations)
    return content


def _open(source: Source) -> pdfium.PdfDocument:
    try:
        document = pdfium.PdfDocument(source.path)
        with contextlib.suppress(pdfium.PdfiumError):  # then fields are neither read nor drawn
            document.init_forms()
        if len(document) == 0:
            raise Reject(FailureCode.CORRUPT, "The PDF has no pages.")
    except pdfium.PdfiumError as error:
        if error.err_code == pdfium_c.FPDF_ERR_PASSWORD:
            raise Reject(FailureCode.ENCRYPTED, "The PDF is protected by a password.") from error
        if error.err_code == pdfium_c.FPDF_ERR_SECURITY:
            raise Reject(FailureCode.ENCRYPTED, "The PDF is protected in a way that cannot be read.") from error
        raise Reject(FailureCode.CORRUPT, "The PDF is damaged or cut off.") from error
    return document


def _language(document: pdfium.PdfDocument) -> str:
    return pdf_notes.string_of(
        lambda to, size: pdfium_c.FPDFCatalog_GetLanguage(document, to, size), _MAX_LANGUAGE_BYTES
    )


def _read_page(document: pdfium.PdfDocument, index: int, content: Content, without_text: list[int]) -> int:
    try:
        page = document[index]
        text_page = page.get_textpage()
        text = text_page.get_text_bounded()[:_MAX_PAGE_CHARS]
        text_page.close()
        unread = _is_mostly_picture(page, len(text.strip()))
        notes, noted = pdf_notes.notes_on(page), pdf_notes.count_of(page)
        page.close()
    except pdfium.PdfiumError as error:
        content.degradations.append(Degradation(step=f"page {index + 1}", reason=str(error)[:500]))
        return 0
    if unread:
        without_text.append(index)
    if noted > pdf_notes.MOST_NOTES:
        reason = f"It has {noted} fields and notes; the first {pdf_notes.MOST_NOTES} were read."
        content.degradations.append(Degradation(step=f"page {index + 1}", reason=reason))
    text = "\n".join([_joined(text), *notes])[:_MAX_PAGE_CHARS]
    if text.strip():
        content.texts.append(MaterialText(text=text, locator=Locator(page=index + 1), source=TextSource.TEXT))
    return len(text)


def _is_mostly_picture(page: pdfium.PdfPage, text_length: int) -> bool:
    if text_length < _TEXT_IS_MORE_THAN:
        return True
    if text_length > LITTLE_TEXT:
        return False
    area = page.get_width() * page.get_height() * PICTURE_SHARE
    for picture in page.get_objects(filter=[pdfium_c.FPDF_PAGEOBJ_IMAGE], max_depth=3):
        left, bottom, right, top = picture.get_bounds()
        if (right - left) * (top - bottom) >= area:
            return True
    return False


def _joined(text: str) -> str:
    # PDFium marks a hyphen at the end of a line with U+FFFE (or U+0002): the word goes on.
    return text.replace("\ufffe\r\n", "").replace("\ufffe", "").replace("\x02\r\n", "").replace("\x02", "")


def _pages(
    document: pdfium.PdfDocument, shown: range, scans: list[int], degradations: list[Degradation]
) -> Iterator[Shot]:
    """In order; a page that cannot be drawn is left out, and so are pages with text once their time is used up."""
    left_s, left_out = _PICTURES_BUDGET_S, 0
    for index in sorted({*shown, *scans}):
        is_scan = index in scans
        if not is_scan and left_s <= 0:
            left_out += 1
            continue
        started = time.monotonic()
        longest = pictures.READING_SIDE if is_scan else max(pictures.THUMBNAIL_BOX)
        limit_s = _PICTURES_BUDGET_S if is_scan else left_s
        image, reason = None, ""
        try:
            image = _render(document, index, longest, limit_s)
        except pdfium.PdfiumError as error:
            reason = str(error)[:500]
        except Reject as reject:
            reason = reject.message
        if not is_scan:
            left_s -= time.monotonic() - started
        if image:
            yield Shot(image, Locator(page=index + 1), for_analysis=is_scan)
        else:
            degradations.append(Degradation(step=f"page {index + 1}", reason=reason))
    if left_out:
        reason = f"{left_out} pages have no picture: drawing those before them took too long."
        degradations.append(Degradation(step="pictures", reason=reason))


def _render(document: pdfium.PdfDocument, index: int, longest: int, limit_s: float) -> Image.Image:
    """The page with its longer side ``longest`` px. Raises ``PdfiumError``; ``Reject`` after ``limit_s``."""
    page = document[index]
    width, height = page.get_size()
    scale = longest / max(width, height, 1.0)
    size = max(math.ceil(width * scale), 1), max(math.ceil(height * scale), 1)
    bitmap = pdfium.PdfBitmap.new_native(*size, pdfium_c.FPDFBitmap_BGR)
    bitmap.fill_rect(_WHITE, 0, 0, *size)
    ends = time.monotonic() + limit_s
    pause = pdfium_c.IFSDK_PAUSE(version=1)
    pdfium_i.set_callback(pause, "NeedToPauseNow", lambda _: time.monotonic() > ends)  # asked every few objects
    status = pdfium_c.FPDF_RenderPageBitmap_Start(bitmap, page, 0, 0, *size, 0, pdfium_c.FPDF_ANNOT, pause)
    pdfium_c.FPDF_RenderPage_Close(page)
    if page.formenv and status != pdfium_c.FPDF_RENDER_TOBECONTINUED:
        pdfium_c.FPDF_FFLDraw(page.formenv, bitmap, page, 0, 0, *size, 0, pdfium_c.FPDF_ANNOT)
    page.close()
    if status == pdfium_c.FPDF_RENDER_TOBECONTINUED:
        raise Reject(FailureCode.TIMEOUT, "Drawing the page took too long.")
    return bitmap.to_pil().convert("RGB")
