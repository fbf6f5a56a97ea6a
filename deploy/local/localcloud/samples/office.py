"""Writes Word documents and workbooks with fixed dates, so that their content is the same each time."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import docx
import openpyxl

_WRITTEN = datetime(2026, 10, 1, 9, 0, tzinfo=UTC)
_MODIFIED = re.compile(rb"(<dcterms:modified [^>]*>)[^<]*")
_MODIFIED_THEN = rb"\g<1>" + _WRITTEN.strftime("%Y-%m-%dT%H:%M:%SZ").encode()


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
    _forget_when_written(path)


def write_xlsx(path: Path, title: str, rows: Sequence[Sequence[str]], author: str) -> None:
    """One sheet."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = title[:31]
    for row in rows:
        sheet.append(list(row))
    book.properties.title, book.properties.creator, book.properties.created = title, author, _WRITTEN
    book.save(path)
    _forget_when_written(path)


def _forget_when_written(path: Path) -> None:
    """The libraries note the hour: in the archive's directory, and one of them in the file's properties too."""
    with ZipFile(path) as written:
        members = {info.filename: written.read(info) for info in written.infolist()}
    with ZipFile(path, "w", ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(
                ZipInfo(name, _WRITTEN.timetuple()[:6]), _MODIFIED.sub(_MODIFIED_THEN, content), ZIP_DEFLATED
            )
