"""Opens an Office file (docx, pptx, xlsx) so that its library can read it, and reads what libraries pass over."""

import io
import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote
from zipfile import ZIP_DEFLATED, ZipFile

from lxml.etree import LxmlError, XMLParser, _Element, fromstring

from media_processor import archives
from media_processor.formats import Format

_RELATIONS = "_rels/.rels"
_STRICT_MAIN = b"http://purl.oclc.org/ooxml/officeDocument/relationships/officeDocument"
_STRICT = re.compile(rb"http://purl\.oclc\.org/ooxml/(\w+)/")
_USUAL = rb"http://schemas.openxmlformats.org/\1/2006/"
_DRAWN_PARAGRAPH = "{http://schemas.openxmlformats.org/drawingml/2006/main}p"

DRAWN = ("/chart", "/chartEx", "/diagramData")
"""How the types of relations end that lead to charts and diagrams."""


@dataclass(frozen=True)
class Relation:
    """A part that another part of the package refers to."""

    id: str
    type: str
    name: str


def opened(path: Path) -> BinaryIO:
    """The file; of one in Strict terms, which differs in the names of its elements only, a copy in memory.

    The libraries know none but the names of 2006, by which they find nothing in a Strict file. Raises what ``ZipFile``
    does.
    """
    with ZipFile(path) as archive:
        names = dict.fromkeys(archive.namelist())
        if _RELATIONS not in names or _STRICT_MAIN not in archive.read(_RELATIONS):
            return path.open("rb")
        copy = io.BytesIO()
        with ZipFile(copy, "w", ZIP_DEFLATED, compresslevel=1) as usual:
            for name in names:
                part = archive.read(name)
                usual.writestr(name, _STRICT.sub(_USUAL, part) if name.endswith((".xml", ".rels")) else part)
    copy.seek(0)
    return copy


def main_types(format_: Format) -> list[str]:
    """All that the main part of such a file may be; the libraries know the usual ones only."""
    return [name for name, found in archives.MAIN_TYPES.items() if found == format_]


def parse(part: bytes) -> _Element:
    """The tree of a part; nothing is fetched. Raises ``LxmlError``."""
    return fromstring(part, XMLParser(resolve_entities=False, no_network=True))


def relations(archive: ZipFile, part: str) -> Iterator[Relation]:
    """What a part, or the package itself (``part`` empty), refers to inside the package; in order."""
    folder, _, name = part.rpartition("/")
    listed = posixpath.join(folder, "_rels", f"{name}.rels")
    if listed not in archive.NameToInfo:
        return
    for element in parse(archive.read(listed)).iter("{*}Relationship"):
        target = posixpath.normpath(posixpath.join("/", folder, unquote(element.get("Target", "")))).lstrip("/")
        if element.get("TargetMode") != "External" and target in archive.NameToInfo:
            yield Relation(element.get("Id", ""), element.get("Type", ""), target)


def words(part: bytes) -> list[str]:
    """What is written in a chart (its title, its series and what stands at its axes), a diagram, a text box, a comment.

    Each line once, in order; nothing of a damaged part.
    """
    try:
        root = parse(part)
    except LxmlError:
        return []
    lines: dict[str, None] = {}
    for element in root.iter(_DRAWN_PARAGRAPH, "{*}strCache", "{*}text"):
        if element.tag == _DRAWN_PARAGRAPH:
            pieces = ["".join(run.text or "" for run in element.iter("{*}t"))]
        else:
            is_cache = str(element.tag).endswith("}strCache")
            pieces = [value.text or "" for value in element.iter("{*}v")] if is_cache else ["".join(element.itertext())]
        lines.update((line, None) for piece in pieces if (line := piece.strip()))
    return list(lines)
