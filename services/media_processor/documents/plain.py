"""Turns plain text, Markdown and comma-separated tables into text with sections."""

import csv
import io
import re
from collections.abc import Iterator
from itertools import islice

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
    texts: list[MaterialText] = []
    heading, done = "", 0
    for piece in _in_pieces(_lines(text, dialect), ROWS_PER_TEXT):
        heading = heading or piece[0]
        section = f"rows {done + 1}-{done + len(piece)}" if len(piece) > 1 else f"row {done + 1}"
        shown = "\n".join([heading, *piece] if done else piece)
        texts.append(MaterialText(text=shown, locator=Locator(section=section), source=TextSource.TEXT))
        done += len(piece)
    return Content(texts=texts, degradations=cut_notes(is_cut, source.limits.max_text_chars))


def _lines(text: str, dialect: "type[csv.Dialect]") -> Iterator[str]:
    csv.field_size_limit(len(text) + 1)
    for row in csv.reader(io.StringIO(text, newline=""), dialect):
        if line := " | ".join(" ".join(cell.split()) for cell in row if cell.strip()):
            yield line


def _in_pieces(lines: Iterator[str], size: int) -> Iterator[list[str]]:
    while piece := list(islice(lines, size)):
        yield piece
