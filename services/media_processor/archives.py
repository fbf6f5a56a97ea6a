"""Turns a ZIP or OLE container into the document format inside it; bombs are refused before anything is unpacked.

A member's declared size is a bound: ``zipfile`` never reads more than it, so the sum of declared sizes is the price.
"""

import mmap
import zipfile
from pathlib import Path

from contracts import refused_formats
from contracts.artifacts import FailureCode
from eventing.errors import Reject
from media_processor import formats
from media_processor.decoded import DecodeLimits
from media_processor.formats import Format

OLE_SIGNATURE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_MAX_RATIO = 400
_RATIO_MATTERS_ABOVE = 32 * 1024 * 1024

_MAIN_PARTS: tuple[tuple[str, Format], ...] = (
    ("word/document.xml", formats.DOCX),
    ("ppt/presentation.xml", formats.PPTX),
    ("xl/workbook.xml", formats.XLSX),
)
_STRANGERS: tuple[tuple[str, str], ...] = (
    ("xl/workbook.bin", "a binary Excel workbook (.xlsb)"),
    ("META-INF/MANIFEST.MF", "a Java archive"),
    ("AndroidManifest.xml", "an Android app"),
    ("FixedDocSeq.fdseq", "an XPS document"),
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
    except _UNREADABLE as error:
        raise Reject(FailureCode.CORRUPT, "The file is a ZIP container that is damaged or cut off.") from error
    if mimetype.strip() == b"application/epub+zip":
        return formats.EPUB
    for part, found in _MAIN_PARTS:
        if part in names:
            return found
    raise Reject(
        FailureCode.UNSUPPORTED_FORMAT,
        f"This kind of file is not supported: it looks like {_stranger(names, mimetype.decode('ascii', 'replace'))}.",
    )


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


def _stranger(names: set[str], mimetype: str) -> str:
    for part, name in _STRANGERS:
        if part in names:
            return name
    for part, name in _MIMETYPE_STRANGERS:
        if part in mimetype:
            return name
    return refused_formats.ZIP
