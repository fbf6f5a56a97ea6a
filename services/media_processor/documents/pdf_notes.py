"""Turns what is filled into a PDF's page, and noted on it, into lines: it is no part of the page's own text."""

import ctypes
from collections.abc import Callable
from typing import Any

import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c

MOST_NOTES = 2_000
"""A page's list of notes may name one of them a million times."""

_MAX_BYTES = 70_000  # PDFium reads strings of up to 32,767 letters
_UNSEEN = pdfium_c.FPDF_ANNOT_FLAG_HIDDEN | pdfium_c.FPDF_ANNOT_FLAG_NOVIEW
_WRITTEN_FIELDS = frozenset(
    {pdfium_c.FPDF_FORMFIELD_TEXTFIELD, pdfium_c.FPDF_FORMFIELD_COMBOBOX, pdfium_c.FPDF_FORMFIELD_LISTBOX}
)
_NOT_NOTES = frozenset({pdfium_c.FPDF_ANNOT_LINK, pdfium_c.FPDF_ANNOT_POPUP})


def notes_on(page: pdfium.PdfPage) -> list[str]:
    """Values of fields and texts of notes that a reader shows, each once; of at most ``MOST_NOTES``.

    Fields need a document whose forms are open.
    """
    lines: dict[str, None] = {}
    for index in range(min(count_of(page), MOST_NOTES)):
        note = pdfium_c.FPDFPage_GetAnnot(page, index)
        if note:
            lines[_written(note, page.formenv).strip()] = None
            pdfium_c.FPDFPage_CloseAnnot(note)
    return [line for line in lines if line]


def count_of(page: pdfium.PdfPage) -> int:
    """How many fields and notes the page lists."""
    return pdfium_c.FPDFPage_GetAnnotCount(page)


def string_of(read: Callable[[Any, int], int], max_bytes: int) -> str:
    """What a PDFium function writes into a buffer of a size; empty if it is longer than ``max_bytes``."""
    size = read(None, 0)
    if not 2 < size <= max_bytes:
        return ""
    written = ctypes.create_string_buffer(size)
    read(ctypes.cast(written, ctypes.POINTER(pdfium_c.FPDF_WCHAR)), size)
    return written.raw.decode("utf-16-le", "replace").rstrip("\0")


def _written(note: Any, form: Any) -> str:
    if pdfium_c.FPDFAnnot_GetFlags(note) & _UNSEEN:
        return ""
    kind = pdfium_c.FPDFAnnot_GetSubtype(note)
    if kind == pdfium_c.FPDF_ANNOT_WIDGET:
        return _field(note, form) if form else ""
    if kind in _NOT_NOTES:
        return ""
    return string_of(lambda to, size: pdfium_c.FPDFAnnot_GetStringValue(note, b"Contents", to, size), _MAX_BYTES)


def _field(note: Any, form: Any) -> str:
    if pdfium_c.FPDFAnnot_GetFormFieldType(form, note) not in _WRITTEN_FIELDS:
        return ""  # what a box or a button stands for is not what is seen of it
    if pdfium_c.FPDFAnnot_GetFormFieldFlags(form, note) & pdfium_c.FPDF_FORMFLAG_TEXT_PASSWORD:
        return ""
    return string_of(lambda to, size: pdfium_c.FPDFAnnot_GetFormFieldValue(form, note, to, size), _MAX_BYTES)
