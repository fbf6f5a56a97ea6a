"""Turns Rich Text Format into plain text; groups that hold no text (fonts, pictures, objects) are skipped."""

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


@dataclass(frozen=True)
class _Group:
    target: str = "text"
    fallback_bytes: int = 1


@dataclass
class _Reader:
    encoding: str = "cp1252"
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
            text = self.raw.decode(self.encoding, "replace")
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
        if word in _CHARACTERS:
            self.emit(_CHARACTERS[word])
        elif word == b"u" and number is not None:
            self.emit(chr(number % 0x10000))
            self.skip = self.group.fallback_bytes
        elif word == b"uc" and number is not None:
            self.group = replace(self.group, fallback_bytes=min(max(number, 0), 8))
        elif word == b"ansicpg" and number is not None:
            self.encoding = _known(f"cp{number}")
        elif word in _SKIPPED:
            self.retarget("")
        elif word in _INFO and self.outer and self.outer[-1].target == "info":
            self.retarget(word.decode())
        elif word == b"info":
            self.retarget("info")

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
    for token in _TOKEN.finditer(content):
        if reader.kept > max_chars:
            break  # what is beyond is dropped, and said to be, by whoever bounds the text
        word, number, byte, symbol, brace, run = token.groups()
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


def _known(name: str) -> str:
    try:
        return codecs.lookup(name).name
    except LookupError:
        return "cp1252"
