"""Turns bytes of unknown encoding into text, and any text into text that is safe to store and index.

Order: byte order mark, UTF-16 without one, strict UTF-8, what the file says itself, then a statistical guess.
"""

import codecs
import contextlib
import re
from pathlib import Path
from unicodedata import normalize

from charset_normalizer import from_bytes

from contracts.unmarked_text import utf16_without_mark
from media_processor.code_pages import best_page

_BOMS: tuple[tuple[bytes, str], ...] = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CONTROLS = frozenset({*range(0x09), 0x0B, *range(0x0E, 0x1B), *range(0x1C, 0x20), 0x7F})
_MAX_CONTROL_SHARE = 0.002
_NOT_OF_TEXTS = frozenset({"idna", "punycode", "unicode_escape", "raw_unicode_escape"})
_GUESS_BYTES = 64 * 1024
_DECLARATION = re.compile(
    rb"""<(?:meta|\?xml)[^>]{0,200}?(?:charset|encoding)\s*=\s*["']?([\w.:-]{2,40})""", re.IGNORECASE
)
# Unpaired surrogates cannot be encoded; C0 controls (except tab and newlines) break databases and terminals.
_UNSAFE = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")


def decode_sample(head: bytes) -> str | None:
    """The text of a file's first bytes, or None when they are not text."""
    encoding = encoding_of(head)
    if encoding is None:
        return None
    text = codecs.getincrementaldecoder(encoding)("replace").decode(head)
    return text if _control_share(text) <= _MAX_CONTROL_SHARE else None


def read_text(path: Path, max_chars: int) -> tuple[str, bool]:
    """A text file as text of at most ``max_chars``, and whether that is not all of it."""
    with path.open("rb") as file:
        text = decode(file.read((max_chars + 1) * 4))
    return text[:max_chars], len(text) > max_chars


def decode(data: bytes) -> str:
    """Bytes of a text file as text; those that do not fit become U+FFFD."""
    head = data[:_GUESS_BYTES]
    return data.decode(encoding_of(head) or "utf-8", "replace").removeprefix("\ufeff")


def clean(text: str) -> str:
    """Without NULs, other control characters and surrogates; line ends are ``\\n``, accents are composed (NFC)."""
    return normalize("NFC", _UNSAFE.sub("", text)).replace("\r\n", "\n").replace("\r", "\n")


def clip(text: str, length: int) -> str:
    """Cleaned, on one line, at most ``length`` characters."""
    return " ".join(clean(text).split())[:length]


def encoding_of(head: bytes) -> str | None:
    """The encoding of text that starts with these bytes; None when they look binary."""
    for bom, name in _BOMS:
        if head.startswith(bom):
            return name
    wide = utf16_without_mark(head)
    if wide:
        return wide
    if b"\0" in head or sum(b in _CONTROLS for b in head[:8192]) > len(head[:8192]) * _MAX_CONTROL_SHARE:
        return None
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return _declared(head) or _guessed(head)
    return "utf-8"


def _declared(head: bytes) -> str | None:
    """What an HTML or XML head says of its own encoding."""
    written = _DECLARATION.search(head[:4096])
    return known_encoding(written[1].decode("ascii")) if written else None


def known_encoding(name: str) -> str | None:
    """The encoding of text that a file names; None for what is none, and for those that only domain names are in.

    The time that domain names' encodings take grows with the square of the length.
    """
    with contextlib.suppress(LookupError, ValueError):
        "".encode(name)
        found = codecs.lookup(name).name
        return found if found not in _NOT_OF_TEXTS else None
    return None


def _guessed(head: bytes) -> str | None:
    best = from_bytes(head[:_GUESS_BYTES]).best()
    return best_page(head[:_GUESS_BYTES], best.encoding if best else None)


def _control_share(text: str) -> float:
    return sum(ord(c) in _CONTROLS for c in text[:8192]) / max(len(text[:8192]), 1)
