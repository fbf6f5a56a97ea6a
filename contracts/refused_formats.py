"""The first bytes of a file that is not taken into what it is called: the same at the door and after a drop."""

import re

_SURE: tuple[tuple[bytes, str], ...] = (
    (b"%!PS", "a PostScript document"),
    (b"\x7fELF", "a Linux program"),
    (b"\xca\xfe\xba\xbe", "a Java class or macOS program"),
    (b"\xcf\xfa\xed\xfe", "a macOS program"),
    (b"\xce\xfa\xed\xfe", "a macOS program"),
    (b"\xfe\xed\xfa\xcf", "a macOS program"),
    (b"\xfe\xed\xfa\xce", "a macOS program"),
    (b"\x00asm", "a WebAssembly program"),
    (b"Rar!\x1a\x07", "a RAR archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"\xfd7zXZ\x00", "an xz archive"),
    (b"\x28\xb5\x2f\xfd", "a zstd archive"),
    (b"\x00\x00\x01\x00", "an icon"),
    (b"\x00\x00\x02\x00", "an icon"),
    (b"\x00\x01\x00\x00", "a font"),
    (b"SQLite format 3\x00", "an SQLite database"),
    (b"FLV\x01", "a Flash video"),
    (b"0&\xb2u\x8ef\xcf\x11", "a Windows Media file"),
    (b"\x00\x00\x01\xba", "an MPEG programme stream"),
)
_UNLESS_TEXT: tuple[tuple[bytes, str], ...] = (
    (b"MZ", "a Windows program"),
    (b"BZh", "a bzip2 archive"),
    (b"8BPS", "a Photoshop document"),
    (b"OTTO", "a font"),
    (b"wOFF", "a font"),
    (b"wOF2", "a font"),
    (b"FORM", "an AIFF or other IFF file"),
    (b"#!AMR", "an AMR recording"),
)

_SVG = re.compile(
    rb"(?:\xef\xbb\xbf)?(?:\s|(?><\?.*?\?>)|(?><!--.*?-->))*+<(?:!DOCTYPE\s+|svg:)?svg[\s>/\[]", re.DOTALL
)
"""Only declarations and comments may come before: whatever else mentions a drawing is a text about it."""

SVG = "an SVG drawing"
ZIP = "a ZIP archive"
UNKNOWN = "binary data of no known format"


def surely_refused(head: bytes) -> str | None:
    """What a file is that begins so (of text: in UTF-8), whatever follows; None when that alone does not tell."""
    return SVG if _SVG.match(head) else _name(head, _SURE)


def refused_unless_text(head: bytes) -> str | None:
    """What a file is that begins so and is not text; a text may begin with the same letters."""
    return surely_refused(head) or _name(head, _UNLESS_TEXT)


def _name(head: bytes, named: tuple[tuple[bytes, str], ...]) -> str | None:
    return next((name for signature, name in named if head.startswith(signature)), None)
