"""Turns an e-book (EPUB: XHTML in a ZIP) into text per chapter in reading order, pages that are pictures, its cover."""

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from urllib.parse import unquote
from zipfile import BadZipFile, ZipFile

from lxml.etree import LxmlError, XMLParser, _Element, fromstring
from lxml.html import HtmlElement
from PIL import Image

from contracts.artifacts import Degradation, FailureCode, Locator
from eventing.errors import Reject
from media_processor.documents import page_pictures, web
from media_processor.documents.content import Content, Sections, embedded_picture
from media_processor.documents.page_pictures import LITTLE_TEXT, StoredPicture
from media_processor.kinds.row import Source
from media_processor.text_encoding import decode

_DC = "{http://purl.org/dc/elements/1.1/}"
_CONTAINER = "META-INF/container.xml"
_NCX = "application/x-dtbncx+xml"
_RIGHTS = "META-INF/encryption.xml"
_FONT_ALGORITHMS = ("idpf.org/2008/embedding", "ns.adobe.com/pdf/enc#RC")


@dataclass(frozen=True)
class _Item:
    name: str
    media_type: str
    properties: str


def read(source: Source) -> Content:
    """Raises ``Reject``: ``corrupt``, or ``encrypted`` for a book with copy protection."""
    try:
        with ZipFile(source.path) as archive:
            _check_rights(archive)
            return _read(archive, source)
    except (BadZipFile, KeyError, LxmlError, ValueError) as error:
        raise Reject(FailureCode.CORRUPT, "The e-book is damaged.") from error


def _read(archive: ZipFile, source: Source) -> Content:
    package_name = _package_name(archive)
    package = _xml(archive.read(package_name))
    items = _items(package, posixpath.dirname(package_name))
    content = Content(
        title=_text(package, "title"), author=_text(package, "creator"), language=_text(package, "language")
    )
    found: dict[str, StoredPicture] = {}
    members = frozenset(archive.namelist())
    chapters, names = 0, _chapter_names(archive, items)
    for chapter in _spine(package, items):
        try:
            root = web.parse(decode(archive.read(chapter.name)))
        except (KeyError, LxmlError, ValueError) as error:
            if len(content.degradations) < 10:
                content.degradations.append(Degradation(step="chapter", reason=f"{chapter.name}: {error}"[:500]))
            continue
        chapters += 1
        sections = Sections()
        sections.start_unnamed(names.get(chapter.name, ""))
        web.add_sections(root, sections)
        content.texts += sections.close()
        if sum(len(text.text) for text in sections.texts) <= LITTLE_TEXT:
            place = Locator(section=sections.heading or f"chapter {chapters}")
            for name in _pictures(root, posixpath.dirname(chapter.name)):
                if name in members:
                    found.setdefault(name, StoredPicture(place, partial(_bytes, source, name)))
    if not chapters:
        raise Reject(FailureCode.CORRUPT, "The e-book holds no chapter that can be read.")
    cover = _cover(package, items)
    pages = list(found.values())
    content.pages = lambda: page_pictures.shots(pages, source.limits, content.degradations)
    if cover or not content.texts:
        content.cover = lambda: _picture(source, cover) if cover else page_pictures.cover(pages, source.limits)
    return content


def _pictures(root: HtmlElement, folder: str) -> Iterator[str]:
    """Names of the pictures a chapter shows, in order."""
    for element in root.iter("img", "image"):
        link = element.get("src") or element.get("xlink:href") or element.get("href") or ""
        yield posixpath.normpath(posixpath.join(folder, unquote(link)))


def _check_rights(archive: ZipFile) -> None:
    if _RIGHTS not in archive.namelist():
        return
    methods = [e.get("Algorithm", "") for e in _xml(archive.read(_RIGHTS)).iter("{*}EncryptionMethod")]
    if any(not any(known in method for known in _FONT_ALGORITHMS) for method in methods):
        raise Reject(FailureCode.ENCRYPTED, "The e-book is copy-protected.")


def _package_name(archive: ZipFile) -> str:
    for element in _xml(archive.read(_CONTAINER)).iter("{*}rootfile"):
        if path := element.get("full-path"):
            return path
    raise ValueError("no package document")


def _items(package: _Element, folder: str) -> dict[str, _Item]:
    items: dict[str, _Item] = {}
    for element in package.iter("{*}item"):
        name = posixpath.normpath(posixpath.join(folder, unquote(element.get("href", ""))))
        items[element.get("id", "")] = _Item(name, element.get("media-type", ""), element.get("properties", ""))
    return items


def _spine(package: _Element, items: dict[str, _Item]) -> Iterator[_Item]:
    for reference in package.iter("{*}itemref"):
        item = items.get(reference.get("idref", ""))
        if item and "html" in item.media_type:
            yield item


def _chapter_names(archive: ZipFile, items: dict[str, _Item]) -> dict[str, str]:
    """What the table of contents calls each chapter's file; for chapters that bring no heading of their own."""
    names: dict[str, str] = {}
    for item in items.values():
        is_list = item.media_type == _NCX or "nav" in item.properties.split()
        if not is_list or item.name not in archive.namelist():
            continue
        try:
            root = _xml(archive.read(item.name))
        except LxmlError:
            continue
        links = [(e.get("href", ""), " ".join("".join(e.itertext()).split())) for e in root.iter("{*}a")]
        for point in root.iter("{*}navPoint"):
            target, label = point.find("{*}content"), point.find("{*}navLabel/{*}text")
            links.append(
                (target.get("src", "") if target is not None else "", (label.text or "") if label is not None else "")
            )
        for target, label in links:
            name = posixpath.normpath(posixpath.join(posixpath.dirname(item.name), unquote(target.partition("#")[0])))
            names.setdefault(name, label.strip())
    return names


def _cover(package: _Element, items: dict[str, _Item]) -> str:
    for item in items.values():
        if "cover-image" in item.properties:
            return item.name
    for element in package.iter("{*}meta"):
        item = items.get(element.get("content", "")) if element.get("name") == "cover" else None
        if item and item.media_type.startswith("image/"):
            return item.name
    return ""


def _picture(source: Source, name: str) -> Image.Image | None:
    try:
        return embedded_picture(_bytes(source, name), source.limits.max_pixels)
    except KeyError:
        return None


def _bytes(source: Source, name: str) -> bytes:
    with ZipFile(source.path) as archive:
        return archive.read(name)


def _text(package: _Element, name: str) -> str:
    return next((element.text or "" for element in package.iter(_DC + name)), "")


def _xml(data: bytes) -> _Element:
    return fromstring(data, XMLParser(resolve_entities=False, no_network=True, load_dtd=False))
