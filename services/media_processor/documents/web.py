"""Turns HTML into text under its headings; scripts, styles and everything it refers to are left out."""

from lxml import html
from lxml.etree import LxmlError
from lxml.html import defs

from contracts.artifacts import FailureCode
from eventing.errors import Reject
from media_processor.documents.content import Content, Sections, read_notes
from media_processor.kinds.row import Source
from media_processor.text_encoding import clean, read_text

_LEFT_OUT = frozenset({"script", "style", "noscript", "template", "svg", "iframe", "object", "select", "head", "math"})
_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
_CELLS = frozenset({"td", "th"})
_MORE_BLOCKS = frozenset({"body", "br", "caption", "dd", "dt", "figcaption", "html", "li", "main", "summary", "tr"})
_BLOCKS = (defs.block_tags | _MORE_BLOCKS) - _CELLS


def read(source: Source) -> Content:
    """Raises ``Reject(corrupt)`` for a page without any element."""
    try:
        read = read_text(source.path, source.limits.max_text_chars)
        root = parse(read.text)
    except (LxmlError, ValueError) as error:
        raise Reject(FailureCode.CORRUPT, "The page is damaged.") from error
    sections = Sections()
    add_sections(root, sections)
    return Content(
        texts=sections.close(),
        title=(root.findtext(".//title") or "").strip(),
        author=_meta(root, "author"),
        language=(root.get("lang") or root.get("{http://www.w3.org/XML/1998/namespace}lang") or "").strip(),
        tags={name: _meta(root, name) for name in ("description", "keywords")},
        degradations=read_notes(read, source.limits.max_text_chars),
    )


def parse(text: str) -> html.HtmlElement:
    """A tree of any HTML or XHTML text; nothing is fetched."""
    # As bytes of a stated encoding: a declaration inside the text would contradict an already decoded string.
    parser = html.HTMLParser(encoding="utf-8", no_network=True, remove_comments=True, remove_pis=True)
    data = clean(text).encode("utf-8", "replace")
    return html.document_fromstring(data, parser=parser, ensure_head_body=True)


def add_sections(root: html.HtmlElement, sections: Sections) -> None:
    """Walks the body in reading order, without recursion: depth is the file's choice."""
    line: list[str] = []

    def flush() -> None:
        sections.add(" ".join("".join(line).split()).removesuffix(" |"))
        line.clear()

    body = root.find("body")
    stack: list[tuple[html.HtmlElement, bool]] = [(body if body is not None else root, False)]
    while stack:
        element, leaving = stack.pop()
        name = element.tag if isinstance(element.tag, str) else ""
        if leaving:
            if name in _BLOCKS:
                flush()
            line.append((" | " if name in _CELLS else "") + (element.tail or ""))
            continue
        if name in _HEADINGS:
            flush()
            sections.start(" ".join(element.text_content().split()))
        if name in _HEADINGS or name in _LEFT_OUT or not name:
            line.append(element.tail or "")
            continue
        if name in _BLOCKS:
            flush()
        line.append(element.get("alt", "") if name == "img" else element.text or "")
        stack.append((element, True))
        stack.extend((child, False) for child in reversed(element))
    flush()


def _meta(root: html.HtmlElement, name: str) -> str:
    for element in root.iter("meta"):
        if (element.get("name") or "").lower() == name:
            return (element.get("content") or "").strip()
    return ""
