"""Turns plain text, Markdown and comma-separated tables into text with sections."""

import csv
import io
import re
from collections.abc import Iterator
from itertools import islice

from contracts.artifacts import Locator, MaterialText, TextSource
from media_processor.documents.content import Content, Sections, read_notes
from media_processor.kinds.row import Source
from media_processor.text_encoding import read_text

ROWS_PER_TEXT = 50
_FRONT_MATTER = re.compile(r"\A---\s*\n(.*?)\n---\s*(?:\n|\Z)", re.DOTALL)
_HEADING = re.compile(r"^ {0,3}(#{1,6})\s+(.*?)\s*#*\s*$")
_UNDERLINE = re.compile(r"^ {0,3}(=+|-{2,})\s*$")
_NO_PARAGRAPH = re.compile(r"^(?: {4}|\t| {0,3}(?:[>|]|[-+*]\s|\d+[.)]\s|```|~~~|={2,}\s*$|-{2,}\s*$))")
_FENCE = re.compile(r"^ {0,3}(```|~~~)")
_DELIMITER_LINE = re.compile(r"""\A"?sep=([^\r\n"])"?[ \t]*(?:\r\n?|\n)""", re.IGNORECASE)
_FIELD = re.compile(r"^(title|author|lang|language|tags|description)\s*:\s*(.+?)\s*$", re.IGNORECASE | re.MULTILINE)


def read_plain(source: Source) -> Content:
    """Form feeds part pages; a text without any is one piece."""
    read = read_text(source.path, source.limits.max_text_chars)
    pages = read.text.split("\f")
    numbered = len(pages) > 1
    texts = [
        MaterialText(text=page, locator=Locator(page=number if numbered else None), source=TextSource.TEXT)
        for number, page in enumerate(pages, start=1)
    ]
    notes = read_notes(read, source.limits.max_text_chars)
    return Content(texts=texts, page_count=len(pages) if numbered else None, degradations=notes)


def read_markdown(source: Source) -> Content:
    """Sections by headings outside code fences; title from front matter or the first heading."""
    read = read_text(source.path, source.limits.max_text_chars)
    text = read.text.replace("\r\n", "\n")
    fields: dict[str, str] = {}
    if front := _FRONT_MATTER.match(text):
        fields = {m[1].lower(): m[2].strip("\"'") for m in _FIELD.finditer(front[1])}
        text = text[front.end() :]
    sections, first = Sections(), ""
    for line, heading in _with_headings(text.split("\n")):
        if heading:
            first = first or heading
            sections.start(heading)
        else:
            sections.add(line)
    return Content(
        texts=sections.close(),
        title=fields.get("title") or first,
        author=fields.get("author", ""),
        language=fields.get("lang") or fields.get("language", ""),
        tags={name: fields[name] for name in ("tags", "description") if name in fields},
        degradations=read_notes(read, source.limits.max_text_chars),
    )


def _with_headings(lines: list[str]) -> Iterator[tuple[str, str]]:
    """Each line with the heading that it is, or "". What underlines a heading is left out."""
    fenced, above, at = False, "", 0
    while at < len(lines):
        line, below = lines[at], "".join(lines[at + 1 : at + 2])
        fenced ^= bool(_FENCE.match(line))
        marked = None if fenced else _HEADING.match(line)
        is_first = not above.strip() and line.strip() != ""
        is_paragraph = not fenced and is_first and not _NO_PARAGRAPH.match(line)
        underlined = is_paragraph and not marked and _UNDERLINE.match(below)
        yield line, marked[2] if marked else line.strip() if underlined else ""
        above = "" if marked or underlined else line
        at += 2 if underlined else 1


def read_table(source: Source) -> Content:
    """Stretches of rows, each headed by the first row; the delimiter is found out, or stated as Excel does."""
    read = read_text(source.path, source.limits.max_text_chars)
    text, dialect = _dialect(read.text)
    texts: list[MaterialText] = []
    heading, done = "", 0
    for piece in _in_pieces(_lines(text, dialect), ROWS_PER_TEXT):
        heading = heading or piece[0]
        section = f"rows {done + 1}-{done + len(piece)}" if len(piece) > 1 else f"row {done + 1}"
        shown = "\n".join([heading, *piece] if done else piece)
        texts.append(MaterialText(text=shown, locator=Locator(section=section), source=TextSource.TEXT))
        done += len(piece)
    return Content(texts=texts, degradations=read_notes(read, source.limits.max_text_chars))


def _dialect(text: str) -> tuple[str, type[csv.Dialect]]:
    """The table without Excel's line that states its delimiter, and how its cells are parted."""
    if stated := _DELIMITER_LINE.match(text):

        class Stated(csv.excel):
            delimiter = stated[1]

        return text[stated.end() :], Stated
    try:
        return text, csv.Sniffer().sniff(text[:8192], delimiters=",;\t|")
    except csv.Error:
        return text, csv.excel


def _lines(text: str, dialect: "type[csv.Dialect]") -> Iterator[str]:
    csv.field_size_limit(len(text) + 1)
    for row in csv.reader(io.StringIO(text, newline=""), dialect):
        if line := " | ".join(" ".join(cell.split()) for cell in row if cell.strip()):
            yield line


def _in_pieces(lines: Iterator[str], size: int) -> Iterator[list[str]]:
    while piece := list(islice(lines, size)):
        yield piece
