"""Turns a workbook (xlsx) into text: each sheet in stretches of rows, every stretch headed by the sheet's first row.

What is written beside the cells (comments, text boxes, charts) follows under the sheet's name.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any, BinaryIO
from zipfile import BadZipFile, ZipFile

import openpyxl
from lxml.etree import LxmlError
from openpyxl import Workbook
from openpyxl.utils.exceptions import InvalidFileException

from contracts.artifacts import Degradation, FailureCode, Locator, MaterialText, TextSource
from eventing.errors import Reject
from media_processor.documents import office
from media_processor.documents.content import SECTION_LENGTH, Content
from media_processor.kinds.row import Source
from media_processor.text_encoding import clip

ROWS_PER_TEXT = 50
_MAX_CELLS = 5_000_000
_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"


@dataclass
class _Budget:
    cells: int
    chars: int


def read(source: Source) -> Content:
    """Values as last calculated, not formulas. Raises ``Reject(corrupt)``."""
    content = Content()
    try:
        # A file object, because openpyxl refuses a path whose name does not end as it expects.
        with office.opened(source.path) as file:
            book = openpyxl.load_workbook(file, read_only=True, data_only=True, keep_links=False)
            budget = _read_sheets(book, content, source.limits.max_text_chars)
            facts = book.properties
            content.page_count = len(book.sheetnames)
            book.close()
            _add_asides(file, content)
    except (BadZipFile, InvalidFileException, KeyError, ValueError, TypeError, SyntaxError, AttributeError) as error:
        raise Reject(FailureCode.CORRUPT, "The workbook is damaged.") from error
    if not content.page_count:
        raise Reject(FailureCode.CORRUPT, "The workbook holds no sheet that can be read.")
    content.title, content.author = facts.title or "", facts.creator or ""
    content.tags = {"subject": facts.subject or "", "keywords": facts.keywords or ""}
    if budget.cells <= 0:
        reason = f"Only the first {_MAX_CELLS} cells were read."
        content.degradations.append(Degradation(step="text", reason=reason))
    return content


def _read_sheets(book: Workbook, content: Content, max_chars: int) -> _Budget:
    budget = _Budget(_MAX_CELLS, max_chars)
    for sheet in book.worksheets:
        sheet.reset_dimensions()  # the stated size may be a lie in either direction
        _read_sheet(clip(sheet.title, SECTION_LENGTH), sheet.iter_rows(values_only=True), content, budget)
    return budget


def _read_sheet(title: str, rows: Iterable[tuple[Any, ...]], content: Content, budget: _Budget) -> None:
    heading, lines = "", list[str]()
    for row in rows:
        budget.cells -= max(len(row), 1)
        if budget.cells <= 0 or budget.chars < 0:  # one long shared string may stand in a million cells
            break
        line = " | ".join(text for value in row if (text := _shown(value)))
        if not line:
            continue
        if len(lines) == ROWS_PER_TEXT:
            _flush(title, lines, content)
            lines = [heading]
        heading = heading or line
        lines.append(line)
        budget.chars -= len(line)
    _flush(title, lines, content)


def _flush(title: str, lines: list[str], content: Content) -> None:
    if lines:
        text = "\n".join([title, *lines])
        content.texts.append(MaterialText(text=text, locator=Locator(section=title or None), source=TextSource.TEXT))


def _add_asides(file: BinaryIO, content: Content) -> None:
    """What openpyxl passes over while it reads row by row: comments, text boxes, charts; behind all rows."""
    try:
        with ZipFile(file) as archive:
            main = next((r.name for r in office.relations(archive, "") if r.type.endswith("/officeDocument")), "")
            parts = {relation.id: relation.name for relation in office.relations(archive, main)}
            known = {""}
            for sheet in office.parse(archive.read(main)).iter("{*}sheet") if main else ():
                lines = dict.fromkeys(_words(archive, parts.get(sheet.get(_RELATION, ""), ""), known))
                _flush(clip(sheet.get("name", ""), SECTION_LENGTH), list(lines), content)
    except (LxmlError, KeyError, ValueError) as error:
        reason = f"Comments, text boxes and charts could not all be read: {error}"
        content.degradations.append(Degradation(step="text", reason=clip(reason, 500)))


def _words(archive: ZipFile, sheet: str, known: set[str]) -> Iterator[str]:
    """Of what a sheet refers to, parts that are not ``known`` yet: a file may refer to one a million times."""
    found = list(office.relations(archive, sheet)) if sheet not in known else []
    known.add(sheet)
    has_threads = any(relation.type.endswith("/threadedComment") for relation in found)
    # Of a conversation the ordinary comment is a copy, under a note for older programs.
    kinds = (*office.DRAWN, "/drawing", "/threadedComment" if has_threads else "/comments")
    for relation in found:
        if relation.type.endswith(kinds) and relation.name not in known:
            known.add(relation.name)
            yield from office.words(archive.read(relation.name))
            found += office.relations(archive, relation.name)  # a drawing's charts


def _shown(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime | date | time):
        return value.isoformat(" ") if isinstance(value, datetime) else value.isoformat()
    if isinstance(value, float):
        return f"{value:.10g}"
    return str(value).strip()
