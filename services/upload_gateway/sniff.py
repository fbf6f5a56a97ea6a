"""Turns the first bytes of an upload into its media type and kind, or into the name of what it is instead.

A quick gate at the door; what the file really is, media-processor decides from all of it.
"""

import codecs
import re
from dataclasses import dataclass

from contracts import mail_headers, refused_formats
from contracts.artifacts import Kind
from contracts.control_characters import hardly_any
from contracts.unmarked_text import utf16_without_mark

ENOUGH_BYTES = 4096
"""As many first bytes as tell apart everything listed here."""


@dataclass(frozen=True)
class Sniffed:
    """A type we take."""

    media_type: str
    kind: Kind


class UnsupportedTypeError(ValueError):
    """Not a type we take; the message names what was found."""


_OLD_OFFICE = "an old Microsoft Office file"
_I, _V, _A, _D = Kind.IMAGE, Kind.VIDEO, Kind.AUDIO, Kind.DOCUMENT

_TAKEN: tuple[tuple[re.Pattern[bytes], str, Kind], ...] = tuple(
    (re.compile(pattern, re.DOTALL), media_type, kind)
    for pattern, media_type, kind in (
        (rb"\xff\xd8\xff", "image/jpeg", _I),
        (rb"\x89PNG\r\n\x1a\n", "image/png", _I),
        (rb"GIF8[79]a", "image/gif", _I),
        (rb"RIFF....WEBP", "image/webp", _I),
        (rb"BM.{4}\x00\x00\x00\x00", "image/bmp", _I),
        (rb"II[*+]\x00|MM\x00[*+]", "image/tiff", _I),
        (rb"\x00...ftyp(avif|avis)", "image/avif", _I),
        (rb"\x00...ftyp(heic|heix|hevc|heim|heis|mif1|msf1)", "image/heic", _I),
        (rb"\x00...ftyp(M4A |M4B |M4P )", "audio/mp4", _A),
        (rb"\x00...ftypqt  |[\x00-\x08]...(moov|mdat|wide|free|skip|pnot)", "video/quicktime", _V),
        (rb"\x00...ftyp", "video/mp4", _V),
        (rb"\x1aE\xdf\xa3.{0,64}webm", "video/webm", _V),
        (rb"\x1aE\xdf\xa3", "video/x-matroska", _V),
        (rb"RIFF....AVI ", "video/x-msvideo", _V),
        (rb"RIFF....WAVE|RF64....WAVE", "audio/wav", _A),
        (rb"fLaC", "audio/flac", _A),
        (rb"OggS", "audio/ogg", _A),
        (rb"ID3|\xff[\xfb\xfa\xf3\xf2\xe3\xe2]", "audio/mpeg", _A),
        (rb"\xff[\xf0\xf1\xf8\xf9]", "audio/aac", _A),
        (rb".{0,1019}%PDF-", "application/pdf", _D),
        (rb"(\xef\xbb\xbf)?\{\\rtf", "application/rtf", _D),
        (rb"PK\x03\x04.{26}(\[Content_Types\]\.xml|_rels/|word/|ppt/|xl/|docProps/|customXml/)", "", _D),
        (rb"PK\x03\x04.*(application/epub\+zip|META-INF/container\.xml)", "application/epub+zip", _D),
    )
)

_REFUSED_CONTAINERS = tuple(
    (re.compile(pattern, re.DOTALL), name)
    for pattern, name in (
        (rb"PK\x03\x04|PK\x05\x06", refused_formats.ZIP),
        (rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", _OLD_OFFICE),
        (rb".{257}ustar", "a TAR archive"),
    )
)
"""Containers, which media-processor opens to see what is in them."""

_OFFICE = (
    (b"word/", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    (b"ppt/", "application/vnd.openxmlformats-officedocument.presentationml.presentation"),
    (b"xl/", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
)
_OFFICE_UNTOLD = "application/vnd.openxmlformats-officedocument"
_WIDE_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)
_HTML = re.compile(rb"\s*(<!--.{0,2000}-->\s*)?<(!doctype\s+html|html|head|body)\b", re.DOTALL | re.IGNORECASE)


def sniff(head: bytes) -> Sniffed:
    """The type of a file from its first bytes (at least one). Raises ``UnsupportedTypeError``."""
    if mail_headers.is_mail(head):  # before anything else: what is attached may stand there as bytes of any kind
        return Sniffed("message/rfc822", Kind.DOCUMENT)
    for pattern, media_type, kind in _TAKEN:
        if pattern.match(head):
            return Sniffed(media_type or _office_type(head), kind)
    refused = refused_formats.surely_refused(head)
    if refused is None and not _is_text(head):
        refused = refused_formats.refused_unless_text(head) or _container(head) or refused_formats.UNKNOWN
    if refused is not None:
        raise UnsupportedTypeError(refused)
    return Sniffed(_text_type(head), Kind.DOCUMENT)


def _container(head: bytes) -> str | None:
    return next((name for pattern, name in _REFUSED_CONTAINERS if pattern.match(head)), None)


def _office_type(head: bytes) -> str:
    return next((media_type for folder, media_type in _OFFICE if folder in head), _OFFICE_UNTOLD)


def _text_type(head: bytes) -> str:
    return "text/html" if _HTML.match(head.removeprefix(b"\xef\xbb\xbf")) else "text/plain"


def _is_text(head: bytes) -> bool:
    if head.startswith(_WIDE_MARKS):
        return True
    return hardly_any(head.decode(utf16_without_mark(head) or "latin-1", "replace"))


_BY_EXTENSION = {
    extension: Sniffed(media_type, kind)
    for extensions, media_type, kind in (
        ("jpg jpeg jpe jfif", "image/jpeg", _I),
        ("png", "image/png", _I),
        ("gif", "image/gif", _I),
        ("webp", "image/webp", _I),
        ("bmp dib", "image/bmp", _I),
        ("tif tiff", "image/tiff", _I),
        ("avif", "image/avif", _I),
        ("heic heif", "image/heic", _I),
        ("m4a m4b", "audio/mp4", _A),
        ("mov qt", "video/quicktime", _V),
        ("mp4 m4v", "video/mp4", _V),
        ("webm", "video/webm", _V),
        ("mkv", "video/x-matroska", _V),
        ("avi", "video/x-msvideo", _V),
        ("wav", "audio/wav", _A),
        ("flac", "audio/flac", _A),
        ("ogg oga opus", "audio/ogg", _A),
        ("mp3", "audio/mpeg", _A),
        ("aac", "audio/aac", _A),
        ("pdf", "application/pdf", _D),
        ("rtf", "application/rtf", _D),
        ("epub", "application/epub+zip", _D),
        ("docx", _OFFICE[0][1], _D),
        ("pptx", _OFFICE[1][1], _D),
        ("xlsx", _OFFICE[2][1], _D),
        ("html htm xhtml", "text/html", _D),
        ("eml", "message/rfc822", _D),
        ("md markdown", "text/markdown", _D),
        ("csv", "text/csv", _D),
        ("txt text log", "text/plain", _D),
    )
    for extension in extensions.split()
}
_REFUSED_EXTENSIONS = {
    extension: name
    for extensions, name in (
        ("svg svgz", refused_formats.SVG),
        ("ps eps", "a PostScript document"),
        ("zip jar apk", refused_formats.ZIP),
        ("7z", "a 7-Zip archive"),
        ("rar", "a RAR archive"),
        ("tar", "a TAR archive"),
        ("gz tgz", "a gzip archive"),
        ("bz2", "a bzip2 archive"),
        ("xz", "an xz archive"),
        ("zst", "a zstd archive"),
        ("iso dmg", "a disk image"),
        ("doc xls ppt", _OLD_OFFICE),
        ("exe msi dll com scr", "a Windows program"),
        ("psd", "a Photoshop document"),
        ("ttf otf woff woff2", "a font"),
        ("ico", "an icon"),
        ("sqlite db", "an SQLite database"),
        ("wasm", "a WebAssembly program"),
    )
    for extension in extensions.split()
}
_REFUSED_MEDIA_TYPES = re.compile(
    r"image/svg|font/|application/(zip|gzip|x-(tar|zip|gzip|7z|rar|msdownload|executable|sharedlib)|vnd\.(rar|microsoft))"
)
_KINDS_OF_MEDIA_TYPES = {"image": _I, "video": _V, "audio": _A, "text": _D}


def expect(filename: str, media_type: str | None) -> Sniffed | None:
    """What a file that has not been sent yet probably is; None when name and header do not tell.

    Raises ``UnsupportedTypeError`` where they leave no hope. The content decides later.
    """
    extension = filename.rpartition(".")[2].lower() if "." in filename else ""
    if extension in _REFUSED_EXTENSIONS:
        raise UnsupportedTypeError(_REFUSED_EXTENSIONS[extension])
    if extension in _BY_EXTENSION:
        return _BY_EXTENSION[extension]
    declared = (media_type or "").partition(";")[0].strip().lower()
    if _REFUSED_MEDIA_TYPES.match(declared):
        raise UnsupportedTypeError(declared)
    kind = _KINDS_OF_MEDIA_TYPES.get(declared.partition("/")[0])
    return Sniffed(declared, kind) if kind else None
