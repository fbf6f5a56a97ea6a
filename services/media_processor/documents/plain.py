"""Turns plain text, Markdown and comma-separated tables into text with sections."""

import csv
import re

from contracts.artifacts import Locator, MaterialText, TextSource
from media_processor.documents.content import Content, Sections, cut_notes
from media_processor.kinds.row import Source
from media_processor.text_encoding import read_text

ROWS_PER_TEXT = 50
_FRONT_MATTER = re.compile(r"\A---\s*\n(.*?)\n---\s*(?:\n|\Z)", re.DOTALL)
_HEADING = re.compile(r"^ {0,3}(#{1,6})\s+(.*?)\s*#*\s*$")
_FENCE = re.compile(r"^ {0,3}(```|~~~)")
_FIELD = re.compile(r"^(title|author|lang|language|tags|description)\s*:\s*(.+?)\s*$", re.IGNORECASE | re.MULTILINE)


def read_plain(source: Source) -> Content:
    """Form feeds part pages; a text without any is one piece."""
    text, is_cut = read_text(source.path, source.limits.max_text_chars)
    pages = text.split("\f")
    numbered = len(pages) > 1
    texts = [
        MaterialText(text=page, locator=Locator(page=number if numbered else None), source=TextSource.TEXT)
        for number, page in enumerate(pages, start=1)
    ]
    notes = cut_notes(is_cut, source.limits.max_text_chars)
    return Content(texts=texts, page_count=len(pages) if numbered else None, degradations=notes)


def read_markdown(source: Source) -> Content:
    """Sections by ATX headings outside code fences; title from front matter or the first heading."""
    text, is_cut = read_text(source.path, source.limits.max_text_chars)
    text = text.replace("\r\n", "\n")
    fields: dict[str, str] = {}
    if front := _FRONT_MATTER.match(text):
        fields = {m[1].lower(): m[2].strip("\"'") for m in _FIELD.finditer(front[1])}
        text = text[front.end() :]
    sections, fenced, first = Sections(), False, ""
    for line in text.split("\n"):
        fenced ^= bool(_FENCE.match(line))
        heading = None if fenced else _HEADING.match(line)
        if heading and heading[2]:
            first = first or heading[2]
            sections.start(heading[2])
        else:
            sections.add(line)
    return Content(
        texts=sections.close(),
        title=fields.get("title") or first,
        author=fields.get("author", ""),
        language=fields.get("lang") or fields.get("language", ""),
        tags={name: fields[name] for name in ("tags", "description") if name in fields},
        degradations=cut_notes(is_cut, source.limits.max_text_chars),
    )


def read_table(source: Source) -> Content:
    """Stretches of rows, each headed by the first row; the delimiter is found out."""
    text, is_cut = read_text(source.path, source.limits.max_text_chars)
    try:
        dialect = csv.Sniffer().sniff(text[:8192], delimiters=",;\t|")
    except csv.Error:
        dialect = csv.excel
    lines = [" | ".join(cell.strip() for cell in row if cell.strip()) for row in _rows(text, dialect)]
    lines = [line for line in lines if line]
    texts: list[MaterialText] = []
    for start in range(0, len(lines), ROWS_PER_TEXT):
        piece = lines[start : start + ROWS_PER_TEXT]
        section = f"rows {start + 1}-{start + len(piece)}"
        shown = "\n".join(piece if start == 0 else [lines[0], *piece])
        texts.append(MaterialText(text=shown, locator=Locator(section=section), source=TextSource.TEXT))
    return Content(texts=texts, degradations=cut_notes(is_cut, source.limits.max_text_chars))


def _rows(text: str, dialect: "type[csv.Dialect]") -> list[list[str]]:
    rows = text.splitlines()
    try:
        return list(csv.reader(rows, dialect))
    except csv.Error:  # a cell beyond the limit of the reader: the line is its own row
        return [[row] for row in rows]
