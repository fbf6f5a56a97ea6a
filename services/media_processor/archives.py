"""Turns a ZIP or OLE container into the document format inside it; bombs are refused before anything is unpacked.

A member's declared size is a bound: ``zipfile`` never reads more than it, so the sum of declared sizes is the price.
"""

import mmap
import posixpath
import zipfile
from pathlib import Path
from urllib.parse import unquote

from lxml.etree import LxmlError, XMLParser, _Element, fromstring

from contracts import refused_formats
from contracts.artifacts import FailureCode
from eventing.errors import Reject
from media_processor import formats
from media_processor.decoded import DecodeLimits
from media_processor.formats import Format

OLE_SIGNATURE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_MAX_RATIO = 400
_RATIO_MATTERS_ABOVE = 32 * 1024 * 1024

_OPEN_XML = "application/vnd.openxmlformats-officedocument."
MAIN_TYPES: dict[str, Format] = {
    f"{_OPEN_XML}wordprocessingml.document.main+xml": formats.DOCX,
    f"{_OPEN_XML}wordprocessingml.template.main+xml": formats.DOCX,
    "application/vnd.ms-word.document.macroEnabled.main+xml": formats.DOCX,
    "application/vnd.ms-word.template.macroEnabledTemplate.main+xml": formats.DOCX,
    f"{_OPEN_XML}presentationml.presentation.main+xml": formats.PPTX,
    f"{_OPEN_XML}presentationml.slideshow.main+xml": formats.PPTX,
    f"{_OPEN_XML}presentationml.template.main+xml": formats.PPTX,
    "application/vnd.ms-powerpoint.presentation.macroEnabled.main+xml": formats.PPTX,
    "application/vnd.ms-powerpoint.slideshow.macroEnabled.main+xml": formats.PPTX,
    "application/vnd.ms-powerpoint.template.macroEnabled.main+xml": formats.PPTX,
    f"{_OPEN_XML}spreadsheetml.sheet.main+xml": formats.XLSX,
    f"{_OPEN_XML}spreadsheetml.template.main+xml": formats.XLSX,
    "application/vnd.ms-excel.sheet.macroEnabled.main+xml": formats.XLSX,
    "application/vnd.ms-excel.template.macroEnabled.main+xml": formats.XLSX,
}
"""What the main part of an Office file may be called: documents, templates and shows, with and without macros."""

_MAIN_PARTS: tuple[tuple[str, Format], ...] = (
    ("word/document.xml", formats.DOCX),
    ("ppt/presentation.xml", formats.PPTX),
    ("xl/workbook.xml", formats.XLSX),
)
"""Where it usually lies; for a package that does not say."""

_MOST_OF_A_LIST = 4 * 1024 * 1024  # the list of 10,000 parts takes 1.5 MB; nothing is known of the file's size yet
_STRANGERS: tuple[tuple[str, str], ...] = (
    ("xl/workbook.bin", "a binary Excel workbook (.xlsb)"),
    ("META-INF/MANIFEST.MF", "a Java archive"),
    ("AndroidManifest.xml", "an Android app"),
    ("FixedDocSeq.fdseq", "an XPS document"),
    ("visio/document.xml", "a Visio drawing"),
)
_MIMETYPE_STRANGERS = (("opendocument.text", "an OpenDocument text"), ("opendocument", "an OpenDocument file"))

_UNREADABLE = (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, EOFError, ValueError)
"""What ``zipfile`` raises for bytes it cannot read: NotImplementedError for a compression method it does not know,
RuntimeError for a password.
"""


def identify(path: Path) -> Format:
    """The document format inside a ZIP. Raises ``Reject``: ``corrupt`` or ``unsupported_format``."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = {info.filename for info in archive.infolist()}
            mimetype = archive.open("mimetype").read(200) if "mimetype" in names else b""
            main_type = _main_type(archive, names)
    except _UNREADABLE as error:
        raise Reject(FailureCode.CORRUPT, "The file is a ZIP container that is damaged or cut off.") from error
    if mimetype.strip() == b"application/epub+zip":
        return formats.EPUB
    if main_type in MAIN_TYPES:
        return MAIN_TYPES[main_type]
    stranger = _stranger(names, mimetype.decode("ascii", "replace"), main_type)
    for part, found in _MAIN_PARTS:
        if part in names and not stranger:
            return found
    message = f"This kind of file is not supported: it looks like {stranger or refused_formats.ZIP}."
    raise Reject(FailureCode.UNSUPPORTED_FORMAT, message)


def _main_type(archive: zipfile.ZipFile, names: set[str]) -> str:
    """What an Office package says its main part is; empty for any other archive, or one that says nothing of use."""
    try:
        relations = _list(archive, "_rels/.rels")
        types = _list(archive, "[Content_Types].xml")
    except (KeyError, LxmlError, *_UNREADABLE):
        return ""
    targets = (r.get("Target", "") for r in relations if r.get("Type", "").endswith("/officeDocument"))
    name = posixpath.normpath(unquote(next(targets, "")).lstrip("/"))
    stated = {t.get("PartName", "").lstrip("/"): t.get("ContentType", "") for t in types.iter("{*}Override")}
    by_ending = {t.get("Extension", "").lower(): t.get("ContentType", "") for t in types.iter("{*}Default")}
    return (stated.get(name) or by_ending.get(name.rpartition(".")[2].lower(), "")) if name in names else ""


def _list(archive: zipfile.ZipFile, name: str) -> _Element:
    with archive.open(name) as member:
        return fromstring(member.read(_MOST_OF_A_LIST), XMLParser(resolve_entities=False, no_network=True))


def check_unpacked_size(path: Path, limits: DecodeLimits) -> None:
    """Raises ``Reject(resource_limit)`` for a ZIP bomb, ``Reject(encrypted)`` for one with a password."""
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
    if len(members) > limits.max_members:
        message = f"The archive holds {len(members)} parts; {limits.max_members} are allowed."
        raise Reject(FailureCode.RESOURCE_LIMIT, message)
    unpacked = sum(m.file_size for m in members)
    packed = max(path.stat().st_size, 1)
    if unpacked > limits.max_unpacked_bytes or (unpacked > _RATIO_MATTERS_ABOVE and unpacked / packed > _MAX_RATIO):
        raise Reject(
            FailureCode.RESOURCE_LIMIT,
            f"The archive would unpack to {unpacked >> 20} MiB from {packed >> 10} KiB, which is refused.",
        )
    if any(m.flag_bits & 1 for m in members):
        raise Reject(FailureCode.ENCRYPTED, "The file is protected by a password.")


def refuse_ole(path: Path) -> Reject:
    """The refusal of an OLE file: an Office document with a password, or one of the formats before 2007."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        if content.find("EncryptedPackage".encode("utf-16-le")) >= 0:
            return Reject(FailureCode.ENCRYPTED, "The document is protected by a password.")
    return Reject(
        FailureCode.UNSUPPORTED_FORMAT,
        "This kind of file is not supported: it looks like an old Microsoft Office file (.doc, .xls, .ppt).",
    )


def _stranger(names: set[str], mimetype: str, main_type: str) -> str:
    if ".addin." in main_type:
        return "an Office add-in"
    for part, name in _STRANGERS:
        if part in names:
            return name
    for part, name in _MIMETYPE_STRANGERS:
        if part in mimetype:
            return name
    return ""
