"""Turns Rich Text Format into plain text, each font's bytes in its character set; pictures and objects are skipped."""

import codecs
import mmap
import re
from dataclasses import dataclass, field, replace

from contracts.artifacts import FailureCode, Locator, MaterialText, TextSource
from eventing.errors import Reject
from media_processor.documents.content import Content
from media_processor.kinds.row import Source

_TOKEN = re.compile(
    rb"\\([a-z]{1,32})(-?\d{1,10})? ?"  # control word with its number
    rb"|\\'([0-9a-fA-F]{2})"  # a byte of the code page
    rb"|\\(.)"  # control symbol
    rb"|([{}])"
    rb"|[\r\n]+"
    rb"|([^\\{}\r\n]{1,65536})",
    re.DOTALL,
)
_SKIPPED = frozenset(
    b"fonttbl colortbl stylesheet pict object themedata colorschememapping datastore latentstyles listtable "
    b"listoverridetable rsidtbl generator xmlnstbl fldinst filetbl revtbl header footer".split()
)
_INFO = frozenset({b"title", b"author", b"subject", b"keywords"})
_CHARACTERS = {
    **dict.fromkeys((b"par", b"line", b"row", b"page", b"sect"), "\n"),
    b"tab": "\t",
    b"cell": " | ",
    b"emdash": "\u2014",
    b"endash": "\u2013",
    b"bullet": "\u2022",
    b"lquote": "\u2018",
    b"rquote": "\u2019",
    b"ldblquote": "\u201c",
    b"rdblquote": "\u201d",
}
_SYMBOLS = {b"~": "\u00a0", b"_": "-", b"\n": "\n", b"\r": "\n", b"\\": "\\", b"{": "{", b"}": "}"}
_MAX_DEPTH = 1_000
_CHARACTER_SETS = {b"ansi": "cp1252", b"mac": "mac-roman", b"pc": "cp437", b"pca": "cp850"}
_FONT_CHARACTER_SETS = {
    77: "mac-roman",
    78: "shift_jis",
    79: "euc_kr",
    80: "gb2312",
    81: "big5",
    85: "mac-greek",
    86: "mac-turkish",
    88: "mac-latin2",
    89: "mac-cyrillic",
    128: "cp932",
    129: "cp949",
    130: "johab",
    134: "gbk",
    136: "cp950",
    161: "cp1253",
    162: "cp1254",
    163: "cp1258",
    177: "cp1255",
    178: "cp1256",
    186: "cp1257",
    204: "cp1251",
    222: "cp874",
    238: "cp1250",
    254: "cp437",
    255: "cp850",
}
"""By ``\\fcharset``. Those left out (0: the system's, 1: any, 2: symbols) are read as the document says of itself."""

_MAX_FONT = 0xFFFF


@dataclass(frozen=True)
class _Group:
    target: str = "text"
    fallback_bytes: int = 1
    font: int | None = None
    is_fonts: bool = False


@dataclass
class _Reader:
    encoding: str = "cp1252"
    fonts: dict[int, str] = field(default_factory=dict[int, str])
    default_font: int = 0
    listed_font: int = 0
    group: _Group = _Group()
    outer: list[_Group] = field(default_factory=list[_Group])
    parts: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    skip: int = 0
    raw: bytearray = field(default_factory=bytearray)
    kept: int = 0

    def emit(self, text: str) -> None:
        self.flush()
        if self.group.target:
            self.parts.setdefault(self.group.target, []).append(text)
            self.kept += len(text)

    def emit_bytes(self, data: bytes) -> None:
        skipped = min(self.skip, len(data))
        self.skip -= skipped
        if self.group.target:
            self.raw += data[skipped:]

    def flush(self) -> None:
        if self.raw:
            font = self.default_font if self.group.font is None else self.group.font
            text = self.raw.decode(self.fonts.get(font, self.encoding), "replace")
            self.raw.clear()
            self.emit(text)

    def brace(self, brace: bytes) -> None:
        self.flush()
        self.skip = 0
        if brace == b"{":
            if len(self.outer) >= _MAX_DEPTH:
                raise Reject(FailureCode.RESOURCE_LIMIT, "The document is nested too deeply.")
            self.outer.append(self.group)
        elif self.outer:
            self.group = self.outer.pop()

    def word(self, word: bytes, number: int | None) -> None:
        if self.tells_encoding(word, number):
            return
        if word in _CHARACTERS:
            self.emit(_CHARACTERS[word])
        elif word == b"u" and number is not None:
            self.emit(chr(number % 0x10000))
            self.skip = self.group.fallback_bytes
        elif word == b"uc" and number is not None:
            self.group = replace(self.group, fallback_bytes=min(max(number, 0), 8))
        elif word in _SKIPPED:
            self.retarget("")
            self.group = replace(self.group, is_fonts=word == b"fonttbl")
        elif word in _INFO and self.outer and self.outer[-1].target == "info":
            self.retarget(word.decode())
        elif word == b"info":
            self.retarget("info")

    def tells_encoding(self, word: bytes, number: int | None) -> bool:
        """True for a word that says how bytes are to be read: the document's own character set, or a font."""
        if word in _CHARACTER_SETS:
            self.encoding = _CHARACTER_SETS[word]
        elif word == b"ansicpg":
            self.encoding = _known(f"cp{number}") or self.encoding
        elif word == b"deff":
            self.default_font = number or 0
        elif self.group.is_fonts and number is not None:
            self.list_font(word, number)
        elif word in {b"f", b"plain"}:
            self.flush()
            self.group = replace(self.group, font=number if word == b"f" else None)
        else:
            return False
        return True

    def list_font(self, word: bytes, number: int) -> None:
        if word == b"f":
            self.listed_font = min(max(number, 0), _MAX_FONT)
        elif word == b"fcharset" and number in _FONT_CHARACTER_SETS:
            self.fonts[self.listed_font] = _FONT_CHARACTER_SETS[number]
        elif word == b"cpg" and (encoding := _known(f"cp{number}")):
            self.fonts[self.listed_font] = encoding

    def retarget(self, target: str) -> None:
        self.flush()
        if self.group.target:
            self.group = replace(self.group, target=target)

    def text_of(self, target: str) -> str:
        joined = "".join(self.parts.get(target, []))
        # \u gives astral characters as two surrogates
        return joined.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def read(source: Source) -> Content:
    """Text to the limit; pictures and objects are passed over without being held. Raises ``Reject(resource_limit)``."""
    reader = _Reader()
    with source.path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        _read_tokens(content, reader, source.limits.max_text_chars)
    reader.flush()
    text = MaterialText(text=reader.text_of("text"), locator=Locator(), source=TextSource.TEXT)
    return Content(
        texts=[text],
        title=reader.text_of("title"),
        author=reader.text_of("author"),
        tags={name: reader.text_of(name) for name in ("subject", "keywords")},
    )


def _read_tokens(content: mmap.mmap, reader: _Reader, max_chars: int) -> None:
    at: int | None = len(codecs.BOM_UTF8) if content[: len(codecs.BOM_UTF8)] == codecs.BOM_UTF8 else 0
    while at is not None:
        at = _read_until_bytes(content, at, reader, max_chars)


def _read_until_bytes(content: mmap.mmap, start: int, reader: _Reader, max_chars: int) -> int | None:
    """Reads up to the raw bytes of a picture; where it goes on behind them, or None at the end."""
    for token in _TOKEN.finditer(content, start):
        if reader.kept > max_chars:
            break  # what is beyond is dropped, and said to be, by whoever bounds the text
        word, number, byte, symbol, brace, run = token.groups()
        if word == b"bin":
            return token.end() + max(int(number or 0), 0)
        if word is not None:
            reader.word(word, int(number) if number else None)
        elif byte is not None:
            reader.emit_bytes(bytes([int(byte, 16)]))
        elif brace is not None:
            reader.brace(brace)
        elif run is not None:
            reader.emit_bytes(run)
        elif symbol == b"*":
            reader.retarget("")
        elif symbol is not None:
            reader.emit(_SYMBOLS.get(symbol, ""))
    return None


def _known(name: str) -> str | None:
    try:
        return codecs.lookup(name).name
    except LookupError:
        return None
