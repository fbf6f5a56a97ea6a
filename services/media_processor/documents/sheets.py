"""Turns a workbook (xlsx) into text: each sheet in stretches of rows, every stretch headed by the sheet's first row."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any
from zipfile import BadZipFile

import openpyxl
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


def _shown(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime | date | time):
        return value.isoformat(" ") if isinstance(value, datetime) else value.isoformat()
    if isinstance(value, float):
        return f"{value:.10g}"
    return str(value).strip()
