"""Turns text of any script into the words that are indexed and looked for: accents, case and width do not matter.

The embedded Postgres has neither unaccent nor a configuration for scripts without spaces, so both happen here.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

SIMPLE = "simple"
DEFAULT_CONFIG = "english"
"""For texts whose language nobody told: English endings are stripped, words of other languages stay as they are."""

MAX_WORD = 200
"""Characters of a word that count; Postgres refuses lexemes over 2 kB."""

_CONFIGS = {
    "ar": "arabic",
    "ca": "catalan",
    "da": "danish",
    "de": "german",
    "el": "greek",
    "en": "english",
    "es": "spanish",
    "et": "estonian",
    "eu": "basque",
    "fi": "finnish",
    "fr": "french",
    "ga": "irish",
    "hi": "hindi",
    "hu": "hungarian",
    "hy": "armenian",
    "id": "indonesian",
    "it": "italian",
    "lt": "lithuanian",
    "nb": "norwegian",
    "ne": "nepali",
    "nl": "dutch",
    "nn": "norwegian",
    "no": "norwegian",
    "pt": "portuguese",
    "ro": "romanian",
    "ru": "russian",
    "sr": "serbian",
    "sv": "swedish",
    "ta": "tamil",
    "tr": "turkish",
    "yi": "yiddish",
}

_WITHOUT_DECOMPOSITION = str.maketrans(
    {"ł": "l", "ø": "o", "đ": "d", "ð": "d", "ħ": "h", "\u0131": "i", "æ": "ae", "œ": "oe", "þ": "th", "ŧ": "t"}
)
_ACCENTS = re.compile("[\u0300-\u036f]+")
_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
    "\uac00-\ud7af\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff"
)
_UNSPACED_CHAR = re.compile(f"[{_UNSPACED}]")
_UNSPACED_RUN = re.compile(f"[{_UNSPACED}]+|[^{_UNSPACED}]+")
_ASCII_WORD = re.compile(r"[A-Za-z0-9]+")
_HUMP = re.compile(r"(?<=[^\W\d_])(?=\d)|(?<=\d)(?=[^\W\d_])")


class Token(NamedTuple):
    """A folded word and where it stands in the original text (code points, end exclusive).

    ``ends_run`` marks the last pair of characters of a run without spaces.
    """

    word: str
    start: int
    end: int
    ends_run: bool = False


def text_config(language: str | None) -> str:
    """The Postgres text search configuration for an ISO 639 or BCP 47 language."""
    if not language:
        return DEFAULT_CONFIG
    return _CONFIGS.get(re.split(r"[-_]", language.lower(), maxsplit=1)[0], SIMPLE)


def fold(text: str) -> str:
    """Without accents, case, width and ligatures; folding twice changes nothing."""
    if text.isascii():
        return text.lower()
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    return unicodedata.normalize("NFC", _ACCENTS.sub("", decomposed).translate(_WITHOUT_DECOMPOSITION))


def tokens(text: str) -> Iterator[Token]:
    """The words of a text in order; scripts without spaces give overlapping pairs of characters."""
    if text.isascii():
        for match in _ASCII_WORD.finditer(text):
            yield Token(match.group().lower()[:MAX_WORD], match.start(), match.end())
        return
    for match in _word_pattern().finditer(text):
        if match.group().isascii():
            yield Token(match.group().lower()[:MAX_WORD], match.start(), match.end())
        else:
            yield from _folded(match.group(), match.start())


def written_words(text: str) -> Iterator[re.Match[str]]:
    """The words as they stand in a text, in order: the tokens of each make up :func:`tokens` of the whole."""
    return (_ASCII_WORD if text.isascii() else _word_pattern()).finditer(text)


def words(text: str) -> tuple[str, ...]:
    """The folded words of a query, a phrase or a name."""
    if text.isascii():
        return tuple([word[:MAX_WORD] for word in _ASCII_WORD.findall(text.lower())])
    return tuple(token.word for token in tokens(text))


def index_text(text: str) -> str:
    """The words as Postgres is to index them, parted by spaces.

    The last character of an unspaced run is added, so that a single character finds it as the start of a word.
    """
    indexed: list[str] = []
    for token in tokens(text):
        indexed.append(token.word)
        if token.ends_run:
            indexed.append(token.word[-1])
    return " ".join(indexed)


def name_text(filename: str) -> str:
    """A file name as words: as it is spelt, and once more with camel case and digits parted."""
    spelt = index_text(filename)
    parted = index_text(_HUMP.sub(" ", _part_camel_case(filename)))
    return spelt if parted == spelt else f"{spelt} {parted}"


def is_unspaced(word: str) -> bool:
    """True for words of scripts that do not part words by spaces."""
    return _UNSPACED_CHAR.match(word) is not None


def _folded(written: str, at: int) -> Iterator[Token]:
    for run in _UNSPACED_RUN.finditer(written):
        for word in _word_pattern().findall(fold(run.group())):
            yield from _pairs(word, at + run.start(), at + run.end())


def _pairs(word: str, start: int, end: int) -> Iterator[Token]:
    if len(word) < 2 or not is_unspaced(word):
        yield Token(word[:MAX_WORD], start, end)
        return
    aligned = len(word) == end - start
    last = len(word) - 2
    for i in range(last + 1):
        yield Token(
            word[i : i + 2],
            start + i if aligned else start,
            start + i + 2 if aligned else end,
            ends_run=i == last,
        )


def _part_camel_case(name: str) -> str:
    parts: list[str] = []
    for before, char, after in zip(" " + name, name, name[1:] + " ", strict=False):
        if char.isupper() and (before.islower() or (before.isupper() and after.islower())):
            parts.append(" ")
        parts.append(char)
    return "".join(parts)


@cache
def _word_pattern() -> re.Pattern[str]:
    marks = "".join(chr(c) for c in range(0x300, 0x10000) if unicodedata.category(chr(c)).startswith("M"))
    return re.compile(f"(?:[^\\W_]|[{marks}])+")
