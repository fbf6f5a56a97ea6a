"""Joins words that a text writes in parts (catenation): ``e-mail`` to ``email``, ``DE89 3704 0044`` to one number.

The joined words are indexed as well, so that either spelling of a query finds either spelling of a document.
"""

import re
from collections.abc import Sequence
from string import punctuation
from unicodedata import normalize

from search.folding import is_unspaced, words

_MOST_PARTS = 10
"""The number of a bank account in groups of four has nine; numbers in more parts are a row of a table."""

_LENGTHS = range(3, 41)
_SURELY_ONE_NUMBER = 5
"""Digits; fewer are a time, a range or a decimal, unless they are grouped by thousands."""

_WORD = r"[^\W_]++"
_NUMBER = r"[^\W\d_]*+\d[^\W_]*+"
_JOINT = r"(?:[-\u2010-\u2013_./:]|(?<=\d)[,'\u2019](?=\d))"
_SPACE = "[ \u00a0\u2009\u202f]"
_THOUSANDS = re.compile(rf"\d{{1,3}}(?:(?:{_SPACE}|[.,'\u2019])\d{{3}})+")
_AMOUNT = re.compile(
    rf"(?P<whole>\d{{1,3}}(?:(?P<by>{_SPACE}|[.,'\u2019])\d{{3}})(?:(?P=by)\d{{3}})*|\d+)(?P<mark>[.,])\d{{1,2}}"
)
_EDGES = re.compile(r"^\W+|\W+$")
_IN_PARTS = re.compile(rf"\b{_WORD}(?:{_JOINT}{_WORD})+|\b[A-Z]['\u2019](?=[A-Z]){_WORD}")
# Both begin where a run of characters does: from within a run of a million they would look to its end each time.
_HYPHENATED = re.compile(r"(?<![^\W\d_])([^\W\d_]{2,}+)-[ \t]*\n[ \t]*([^\W\d_A-Z]{2,})")
_BROKEN = re.compile(r"(?<=[^\W\d_]{2})[\u2010\u00ac][ \t]*+\n[ \t]*+(?=[^\W\d_A-Z]{2})")
_GAP = rf"(?:\)?{_SPACE}\(?|[()])"
_BESIDE_EACH_OTHER = re.compile(rf"(?<![^\W_]){_NUMBER}{_GAP}[^\W\d_]*+\d")
_NUMBERS = re.compile(rf"\b{_NUMBER}(?:(?:{_GAP}|{_JOINT}){_NUMBER})+")


def unbroken(text: str) -> str:
    """Returns the text with the halves of words that a typesetter broke at a line's end as the one word they are.

    Those mark the break by U+2010 or U+00AC. Where it is the hyphen of keyboards, the word may have had one before.
    """
    return _BROKEN.sub("", text)


def without_edges(written: str) -> str:
    """Returns it without the signs before and behind it: brackets, full stops, question marks."""
    return _EDGES.sub("", written)


def catenated(text: str) -> list[str]:
    """Returns each word that ``text`` writes in parts, folded and joined, once."""
    text = normalize("NFC", text)
    written = [found for piece in text.split() if not _is_whole(piece) for found in _IN_PARTS.findall(piece)]
    written += ["-".join(halves) for halves in _HYPHENATED.findall(text)]
    if _BESIDE_EACH_OTHER.search(text):
        written += _NUMBERS.findall(text)
    return list(dict.fromkeys(word for parts in written if (word := joined(parts, words(parts)))))


def joined(written: str, parts: Sequence[str]) -> str:
    """Returns the folded ``parts`` of ``written`` as one word; empty if they are rather words of their own.

    An amount by thousands is two words, ``12,500.00`` is ``12500 00``: it must not pass for a hundred times as much.
    """
    word = "".join(parts)
    if not 1 < len(parts) <= _MOST_PARTS or len(word) not in _LENGTHS or any(map(is_unspaced, parts)):
        return ""
    number = without_edges(written)
    amount = _AMOUNT.fullmatch(number)
    if amount and amount["by"] != amount["mark"]:
        return f"{''.join(parts[:-1])} {parts[-1]}" if amount["by"] else ""
    if word.isdecimal() and len(word) < _SURELY_ONE_NUMBER and not _THOUSANDS.fullmatch(number):
        return ""
    return word


def _is_whole(piece: str) -> bool:
    return piece.isalnum() or piece.strip(punctuation).isalnum()
