"""Splits text of any script into the words that are indexed and searched; ignores accents, case and width.

The embedded Postgres has neither unaccent nor a configuration for scripts without spaces, so both happen here.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import cache, lru_cache
from typing import NamedTuple

SIMPLE = "simple"
DEFAULT_CONFIG = "english"
"""For texts of unknown language: English endings are stripped, words of other languages mostly stay as they are."""

MAX_WORD = 200
"""Characters to which words are cut; Postgres refuses lexemes over 2 kB."""

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

_WITHOUT_ACCENTS = frozenset({SIMPLE, "arabic", "english", "greek", "yiddish"})

_ZEROS = "\u0660\u06f0\u0966\u09e6\u0a66\u0ae6\u0b66\u0be6\u0c66\u0ce6\u0d66\u0e50\u0ed0\u1040\u17e0"
"""The zeros of Arabic, Persian, Indic and South-East Asian scripts; the other nine digits follow each."""

_WITHOUT_DECOMPOSITION = str.maketrans(
    {"ł": "l", "ø": "o", "đ": "d", "ð": "d", "ħ": "h", "\u0131": "i", "æ": "ae", "œ": "oe", "þ": "th", "ŧ": "t"}
    # Arabic and Persian keyboards write the same letters by different characters.
    | {"\u06cc": "\u064a", "\u0649": "\u064a", "\u06a9": "\u0643"}
    # Apostrophes that are letters: п\u02bcять and п'ять.
    | {"\u02bb": "'", "\u02bc": "'"}
    | {chr(ord(zero) + n): str(n) for zero in _ZEROS for n in range(10)}
)
ACCENTS = "\u0300-\u036f"
"""Accents of Latin, Greek and Cyrillic letters, as a range of a regular expression's class.

The marks of Indic and South-East Asian scripts are vowels and tones that a word cannot be told without: they stay.
"""

# Hebrew and Arabic are nearly always written without the points of their vowels. Hamza and madda (0653 to 0655) stay:
# they make letters of their own. 0640 only stretches a word.
_POINTS = (
    "\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7"
    "\u0610-\u061a\u0640\u064b-\u0652\u0656-\u065f\u0670\u06d6-\u06dc\u06df-\u06e4\u06e7\u06e8\u06ea-\u06ed"
)
# Hyphens shown only at the end of a line, places where a line may break, and what chooses among forms of a character:
# nobody types them, so they part nothing, not even in scripts without spaces. Indic scripts choose the forms of joined
# letters by the zero-width joiner (200d) and non-joiner (200c).
_INVISIBLE = "\u00ad\u180b-\u180f\u200b-\u200d\u2060-\u2064\ufe00-\ufe0f\ufeff\U000e0100-\U000e01ef"
# But in Arabic letters the non-joiner parts a word from its endings; others write a space there.
_PART_OF_WORD = f"(?!(?<=[\u0600-\u077f])\u200c)[{_INVISIBLE}]"
_DROPPED = re.compile(f"[{ACCENTS}{_POINTS}{_INVISIBLE}]+")
_UNSEEN = re.compile(f"[{_INVISIBLE}]")
_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
    "\uac00-\ud7af\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff"
)
_UNSPACED_CHAR = re.compile(f"[{_UNSPACED}]")
_UNSPACED_RUN = re.compile(f"[{_UNSPACED}](?:[{_UNSPACED}{_INVISIBLE}]*[{_UNSPACED}])?|[^{_UNSPACED}]+")
# A sign after a single letter makes another word of it: C++, C#, F#, A+.
_SIGN = r"(?:(?=[+#])(?<=[A-Za-z])(?<![A-Za-z0-9].)(?:\+\+?|#)(?![A-Za-z]))?"
_SIGNED_WORD = re.compile("[a-z](?:plus|plusplus|sharp)")
_ASCII_WORD = re.compile(f"[A-Za-z0-9]+{_SIGN}")
_NUMBER_OR_CHARACTER = re.compile(r"\d+|.", re.DOTALL)


class Token(NamedTuple):
    """A folded word and its place in the original text (code points, end exclusive).

    ``ends_run`` marks the last pair of characters of a run without spaces.
    """

    word: str
    start: int
    end: int
    ends_run: bool = False


def text_config(language: str | None) -> str:
    """Returns the Postgres text search configuration of an ISO 639 or BCP 47 language."""
    if not language:
        return DEFAULT_CONFIG
    return _CONFIGS.get(re.split(r"[-_]", language.lower(), maxsplit=1)[0], SIMPLE)


def heeds_accents(config: str) -> bool:
    """False if words have the same stem with accents and without: the stemmer removes them, or there is none."""
    return config not in _WITHOUT_ACCENTS


def fold(text: str) -> str:
    """Returns text without accents, vowel points, case, width, ligatures and invisible characters; idempotent."""
    if text.isascii():
        return text.lower()
    # Cherokee alone is folded to its capitals.
    lower = unicodedata.normalize("NFKD", text).casefold().lower()
    decomposed = unicodedata.normalize("NFKD", lower)
    return unicodedata.normalize("NFC", _DROPPED.sub("", decomposed).translate(_WITHOUT_DECOMPOSITION))


def tokens(text: str) -> Iterator[Token]:
    """Yields the words of a text in order; scripts without spaces give overlapping pairs of characters."""
    if text.isascii():
        for match in _ASCII_WORD.finditer(text):
            yield Token(_plain(match.group()), match.start(), match.end())
        return
    for match in _word_pattern().finditer(text):
        if match.group().isascii():
            yield Token(_plain(match.group()), match.start(), match.end())
        else:
            yield from _folded(match.group(), match.start())


def written_words(text: str) -> Iterator[re.Match[str]]:
    """Returns the words as they are written in a text, in order; their tokens together are :func:`tokens` of it."""
    return (_ASCII_WORD if text.isascii() else _word_pattern()).finditer(text)


def words(text: str) -> tuple[str, ...]:
    """Returns the folded words of a query, a phrase or a name."""
    if text.isascii():
        return tuple(map(_plain, _ASCII_WORD.findall(text)))
    return tuple(token.word for token in tokens(text))


def spelt_text(text: str) -> str:
    """Returns the words that folding changes, each once, in lower case with the accents by which stemmers know endings.

    They are separated by spaces.
    """
    if text.isascii():
        return ""
    # The lower case of a Turkish capital with a dot has the dot twice.
    lower = unicodedata.normalize("NFC", text).lower().replace("i\u0307", "i")
    accented = {char for char in set(lower) if _is_accented(char)}
    if not accented:
        return ""
    found = dict.fromkeys(_UNSEEN.sub("", word) for word in _word_pattern().findall(lower))
    return " ".join(word for word in found if len(word) <= MAX_WORD and not accented.isdisjoint(word))


def name_order(filename: str) -> tuple[list[tuple[int, int, str]], str]:
    """Returns a sort key without accents and case that orders ``page.txt``, ``page 9.txt``, ``page 10.txt``."""
    return [_place(part) for part in _NUMBER_OR_CHARACTER.findall(fold(filename))], filename


def is_signed(word: str) -> bool:
    """True for words that may be written with a sign: ``cplusplus`` for C++, ``csharp`` for C#."""
    return _SIGNED_WORD.fullmatch(word) is not None


def is_unspaced(word: str) -> bool:
    """True for words of scripts that do not separate words by spaces."""
    return _UNSPACED_CHAR.match(word) is not None


def _plain(written: str) -> str:
    word = written.lower()[:MAX_WORD]
    return word.replace("+", "plus").replace("#", "sharp") if word[-1] in "+#" else word


@lru_cache(maxsize=4096)
def _is_accented(char: str) -> bool:
    """True for a letter that folding changes by more than its width."""
    return fold(char) not in ("", unicodedata.normalize("NFKC", char))


def _folded(written: str, at: int) -> Iterator[Token]:
    for run in _UNSPACED_RUN.finditer(written):
        for word in _word_pattern().findall(fold(run.group())):
            if len(word) < 2 or not is_unspaced(word):
                yield Token(_plain(word), at + run.start(), at + run.end())
            else:
                yield from _pairs(word, run.group(), at + run.start())


def _pairs(word: str, written: str, start: int) -> Iterator[Token]:
    places: Sequence[int] = range(start, start + len(written))
    if len(word) != len(written):
        places = [place for place, char in zip(places, written, strict=True) if not _UNSEEN.match(char)]
    aligned = len(word) == len(places)
    last = len(word) - 2
    for i in range(last + 1):
        yield Token(
            word[i : i + 2],
            places[i] if aligned else start,
            places[i + 1] + 1 if aligned else start + len(written),
            ends_run=i == last,
        )


def _place(part: str) -> tuple[int, int, str]:
    """Returns a sort key: separators before numbers, and numbers, by their value, before letters."""
    if part.isdecimal():
        significant = part.lstrip("0")
        return 1, len(significant), significant
    return (2 if part.isalnum() else 0), 0, part


@cache
def _word_pattern() -> re.Pattern[str]:
    marks = "".join(chr(c) for c in range(0x300, 0x10000) if unicodedata.category(chr(c)).startswith("M"))
    char = f"(?:[^\\W_]+|[{marks}]+)+"
    return re.compile(f"{char}(?:(?:{_PART_OF_WORD})+{char})*{_SIGN}")
