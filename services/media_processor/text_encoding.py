"""Turns bytes of unknown encoding into text, and any text into text that is safe to store and index.

Order: byte order mark, UTF-16 without one, UTF-8 (of which a little may be damaged), what the file says itself, then a
statistical guess.
"""

import codecs
import contextlib
import re
from dataclasses import dataclass
from pathlib import Path
from unicodedata import normalize

from charset_normalizer import from_bytes

from contracts.control_characters import hardly_any
from contracts.unmarked_text import utf16_without_mark
from media_processor.code_pages import best_page

_BOMS: tuple[tuple[bytes, str], ...] = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_LOOKED_THROUGH = 8192
_NOT_OF_TEXTS = frozenset({"idna", "punycode", "unicode_escape", "raw_unicode_escape"})
_GUESS_BYTES = 64 * 1024
_HEAD_BYTES = 4096
_BEFORE_IT = 256
_MOST_DAMAGED = 1 / 20
"""Share of letters beyond ASCII, or of all letters where statistics give up, that may be no UTF-8 in UTF-8."""

_BEYOND_ASCII = re.compile(rb"[\x80-\xff]")
_ISO_2022_JP = (b"\x1b$B", b"\x1b$@")
_BAD, _BAD_IN_UTF8 = "\ufffd", b"\xef\xbf\xbd"
_DECLARATION = re.compile(
    rb"""<(?:meta|\?xml)[^>]{0,200}?(?:charset|encoding)\s*=\s*["']?([\w.:-]{2,40})""", re.IGNORECASE
)
# Unpaired surrogates cannot be encoded; C0 controls (except tab and newlines) break databases and terminals.
_LINE_END = re.compile("\r\n?|\x0b")
_UNSAFE = re.compile("[\x00-\x08\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True)
class ReadText:
    """A file's text, whether that is not all of it, and how many letters were no letters in its encoding."""

    text: str
    is_cut: bool
    damaged: int


def decode_sample(head: bytes) -> str | None:
    """The text of a file's first bytes, or None when they are not text."""
    encoding = encoding_of(head)
    if encoding is None:
        return None
    text = codecs.getincrementaldecoder(encoding)("replace").decode(head)
    return text if hardly_any(text[:_LOOKED_THROUGH]) else None


def read_text(path: Path, max_chars: int) -> ReadText:
    """A text file as text of at most ``max_chars``."""
    with path.open("rb") as file:
        data = file.read((max_chars + 1) * 4)
    text = decode(data)
    is_cut = len(text) > max_chars
    # A file that was converted badly before may hold U+FFFD as letters; and the last letter may be cut by us.
    damaged = text.count(_BAD, 0, max_chars) - data.count(_BAD_IN_UTF8)
    return ReadText(text[:max_chars], is_cut, max(damaged, 0))


def decode(data: bytes) -> str:
    """Bytes of a text file as text; those that do not fit become U+FFFD."""
    return data.decode(encoding_of(_telling(data)) or "utf-8", "replace").removeprefix("\ufeff")


def _telling(data: bytes) -> bytes:
    """The part that tells the encoding: the beginning, or from the first byte that is not ASCII, which most share."""
    head = data[:_GUESS_BYTES]
    found = _BEYOND_ASCII.search(data, len(head)) if head.isascii() else None
    if found is None:
        return head
    start = (found.start() - _BEFORE_IT) // 4 * 4  # a letter of UTF-16 stays whole
    written = _DECLARATION.search(head[:_HEAD_BYTES])
    return (written[0] if written else b"") + data[start : start + _GUESS_BYTES]


def clean(text: str) -> str:
    """Without NULs, other control characters and surrogates; line ends are ``\\n``, accents are composed (NFC)."""
    return normalize("NFC", _UNSAFE.sub("", _LINE_END.sub("\n", text)))


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
    if b"\0" in head or not hardly_any(head[:_LOOKED_THROUGH].decode("latin-1")):
        return None
    whole = ("iso2022_jp_ext", "utf-8") if any(escape in head for escape in _ISO_2022_JP) else ("utf-8",)
    return next((name for name in whole if _is_all(head, name)), None) or _of_damaged_or_8_bit(head)


def _of_damaged_or_8_bit(head: bytes) -> str | None:
    text = codecs.getincrementaldecoder("utf-8")("replace").decode(head)
    damaged = text.count(_BAD) - head.count(_BAD_IN_UTF8)
    beyond_ascii = sum(not char.isascii() for char in text) - damaged
    if damaged <= beyond_ascii * _MOST_DAMAGED:
        return "utf-8"
    return _declared(head) or _guessed(head) or ("utf-8" if damaged <= len(text) * _MOST_DAMAGED else None)


def _is_all(head: bytes, encoding: str) -> bool:
    """True where the bytes are text in the encoding, which the last letter may not be all of."""
    try:
        codecs.getincrementaldecoder(encoding)().decode(head)
    except UnicodeDecodeError:
        return False
    return True


def _declared(head: bytes) -> str | None:
    """What an HTML or XML head says of its own encoding."""
    written = _DECLARATION.search(head[:_HEAD_BYTES])
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
