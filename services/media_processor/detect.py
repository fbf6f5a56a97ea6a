"""Turns a file's content into its format, or refuses it and says what it looks like.

The name decides only among kinds of plain text (markdown, csv, mail); a client's header is never asked.
"""

from pathlib import Path

import puremagic

from contracts import mail_headers, refused_formats
from contracts.artifacts import FailureCode
from eventing.errors import Reject
from media_processor import archives, containers, formats
from media_processor.formats import Format
from media_processor.text_encoding import decode_sample

HEAD_BYTES = 64 * 1024
_PDF_HEADER_WITHIN = 1024

_SIGNATURES: tuple[tuple[bytes, Format], ...] = (
    (b"\xff\xd8\xff", formats.JPEG),
    (b"\x89PNG\r\n\x1a\n", formats.PNG),
    (b"GIF87a", formats.GIF),
    (b"GIF89a", formats.GIF),
    (b"II*\x00", formats.TIFF),
    (b"MM\x00*", formats.TIFF),
    (b"II+\x00", formats.TIFF),
    (b"MM\x00+", formats.TIFF),
    (b"fLaC", formats.FLAC),
    (b"{\\rtf", formats.RTF),
    (b"\xef\xbb\xbf{\\rtf", formats.RTF),
)


def detect(path: Path, filename: str) -> Format:
    """The format of the file's content. Raises ``Reject`` for anything that is not accepted."""
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    if not head:
        raise Reject(FailureCode.FILE_SIZE, "The file is empty (0 bytes).")
    found = _by_headers(head, filename) or _by_signature(head) or _by_container(path, head) or _as_text(head, filename)
    if found is None:
        raise unsupported(_looks_like(head))
    return containers.without_pictures(path, found)


def unsupported(looks_like: str) -> Reject:
    """The refusal of a format, naming what the content looks like."""
    return Reject(FailureCode.UNSUPPORTED_FORMAT, f"This kind of file is not supported: it looks like {looks_like}.")


def _by_headers(head: bytes, filename: str) -> Format | None:
    # Before anything else: what is attached may stand there as bytes of any kind.
    return formats.EML if mail_headers.is_mail(head, filename) else None


def _by_signature(head: bytes) -> Format | None:
    for signature, found in _SIGNATURES:
        if head.startswith(signature):
            return found
    if b"%PDF-" in head[:_PDF_HEADER_WITHIN]:
        return formats.PDF
    if head[:2] == b"BM" and int.from_bytes(head[14:18], "little") in {12, 40, 52, 56, 64, 108, 124}:
        return formats.BMP
    return None


def _by_container(path: Path, head: bytes) -> Format | None:
    if head[:4] in {b"RIFF", b"RF64"}:
        return containers.riff(head)
    if head[:4] == b"\x1aE\xdf\xa3":
        return containers.ebml(head)
    if head[:4] == b"OggS":
        return containers.ogg(head)
    if head[:4] in {b"PK\x03\x04", b"PK\x05\x06"}:
        return archives.identify(path)
    if head[:8] == archives.OLE_SIGNATURE:
        raise archives.refuse_ole(path)
    return containers.iso_bmff(head) or containers.mpeg_audio(path, head)


def _as_text(head: bytes, filename: str) -> Format | None:
    if refused_formats.surely_refused(head):
        return None
    text = decode_sample(head)
    if text is None:
        return None
    in_utf8 = text.encode("utf-8", "replace")
    if refused := refused_formats.surely_refused(in_utf8):
        raise unsupported(refused)
    return _by_headers(in_utf8, filename) or _text_kind(text, filename)


def _text_kind(text: str, filename: str) -> Format:
    start = text[:4096].lstrip("\ufeff \t\r\n").lower()
    suffix = Path(filename).suffix.lower()
    if start.startswith(("<!doctype html", "<html", "<head", "<body")) or ("<html" in start and start.startswith("<")):
        return formats.HTML
    if suffix in {".html", ".htm", ".xhtml"} and "<" in start:
        return formats.HTML
    if suffix in {".md", ".markdown"}:
        return formats.MARKDOWN
    return formats.CSV if suffix in {".csv", ".tsv"} else formats.TEXT


def _looks_like(head: bytes) -> str:
    name = refused_formats.refused_unless_text(head)
    if name:
        return name
    try:
        matches = puremagic.magic_string(head)
    except (puremagic.PureError, ValueError):
        return refused_formats.UNKNOWN
    sure = [m for m in matches if m.name and len(m.byte_match.strip(b"\0")) >= 4]
    return f"“{sure[0].name}”" if sure else refused_formats.UNKNOWN
