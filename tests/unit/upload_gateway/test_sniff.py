"""First bytes tell the type; what is not taken is named."""

import codecs

import pytest

from upload_gateway.sniff import UnsupportedTypeError, sniff

NOTE = "Das Protokoll der Sitzung.\r\nÜber das Dach wird später abgestimmt."
WIDE = [
    (codecs.BOM_UTF32_BE, "utf-32-be", NOTE),
    (codecs.BOM_UTF32_LE, "utf-32-le", NOTE),
    (codecs.BOM_UTF16_BE, "utf-16-be", NOTE),
    (b"", "utf-16-le", NOTE),
    (b"", "utf-16-be", NOTE),
]


@pytest.mark.parametrize(
    ("head", "media_type"),
    [
        (b"\xff\xd8\xff\xe1", "image/jpeg"),
        (b"GIF89a", "image/gif"),
        (b"RIFF\1\2\3\4WEBPVP8 ", "image/webp"),
        (b"\0\0\0\x20ftypavif", "image/avif"),
        (b"\0\0\0\x20ftypheic", "image/heic"),
        (b"\0\0\0\x20ftypM4A ", "audio/mp4"),
        (b"\0\0\0\x20ftypisom", "video/mp4"),
        (b"\0\0\0\x14ftypqt  ", "video/quicktime"),
        (b"RIFF\1\2\3\4WAVEfmt ", "audio/wav"),
        (b"junk before\n%PDF-1.7", "application/pdf"),
        (b"{\\rtf1\\ansi", "application/rtf"),
        (b"PK\x03\x04" + b"\0" * 26 + b"mimetypeapplication/epub+zip", "application/epub+zip"),
        (b"  <!DOCTYPE html><p>x", "text/html"),
        (b"Received: from a\r\n\tby b\r\nFrom: Ada\r\n\r\nwords", "message/rfc822"),
        (b"From: Ada\nMIME-Version: 1.0\n\n\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "message/rfc822"),
        (b"From: Ada\nMIME-Version: 1.0\n\n%PDF-1.7\n", "message/rfc822"),
        (b"From: Ada\nTo: Bo\nSubject: bees\n\nwords", "text/plain"),
        (b"MZ is how this sentence starts.", "text/plain"),
        (b"The free encyclopaedia", "text/plain"),
        (b"name;value\n\xe4;1\n", "text/plain"),
        (b"\xff\xfeh\0i\0", "text/plain"),
        *((mark + text.encode(encoding), "text/plain") for mark, encoding, text in WIDE),
        ("Приветствие".encode()[:21], "text/plain"),
    ],
)
def test_known_types(head: bytes, media_type: str) -> None:
    assert sniff(head).media_type == media_type


@pytest.mark.parametrize(
    ("head", "found"),
    [
        (b"\x7fELF\2\1\1\0", "a Linux program"),
        (b"\x1f\x8b\x08\0", "a gzip archive"),
        (b"SQLite format 3\0", "an SQLite database"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Microsoft Office file"),
        (b"\0\1\0\0\0\x10", "a font"),
        (b"%!PS-Adobe-3.0", "a PostScript document"),
        (b"MZ\x90\0\3", "a Windows program"),
        (bytes(257) + b"ustar", "a TAR archive"),
        (b"\0" * 300, "binary data of no known format"),
        (b"\0\1" * 150, "binary data of no known format"),
        (b"a\0b\0c\0\0\0d\0", "binary data of no known format"),
        (NOTE.encode("utf-32-le"), "binary data of no known format"),
    ],
)
def test_others_are_named(head: bytes, found: str) -> None:
    with pytest.raises(UnsupportedTypeError, match=f"^{found}$"):
        sniff(head)
