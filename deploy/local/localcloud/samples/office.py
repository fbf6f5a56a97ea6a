"""Writes Word documents and workbooks with fixed dates, so that their content is the same each time."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import docx
import openpyxl

_WRITTEN = datetime(2026, 10, 1, 9, 0, tzinfo=UTC)


def write_docx(path: Path, sections: Sequence[tuple[str, str]], author: str) -> None:
    """(heading, paragraph) pairs; the first heading is the title."""
    document = docx.Document()
    facts = document.core_properties
    facts.title, facts.author, facts.created, facts.modified = sections[0][0], author, _WRITTEN, _WRITTEN
    for level, (heading, paragraph) in enumerate(sections):
        document.add_heading(heading, level=min(level, 1))
        if paragraph:
            document.add_paragraph(paragraph)
    document.save(str(path))


def write_xlsx(path: Path, title: str, rows: Sequence[Sequence[str]], author: str) -> None:
    """One sheet."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = title[:31]
    for row in rows:
        sheet.append(list(row))
    book.properties.title, book.properties.creator = title, author
    book.save(path)
