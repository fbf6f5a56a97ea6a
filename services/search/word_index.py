"""Turns texts and file names into the words that Postgres indexes for them, separated by spaces."""

import re
from pathlib import PurePosixPath

from search.catenation import catenated, unbroken
from search.emoji import emoji_words
from search.folding import tokens

_HUMP = re.compile(r"(?<=[^\W\d_])(?=\d)|(?<=\d)(?=[^\W\d_])")


def index_text(text: str) -> str:
    """Returns all words in their order, and after them the joined ones (:mod:`search.catenation`) and emoji.

    The last character of an unspaced run is added, so that a single character finds it as the start of a word.
    """
    text = unbroken(text)
    return " ".join([*_words(text), *catenated(text), *emoji_words(text)])


def name_text(filename: str) -> str:
    """Returns the words of a file name as it is spelt, and once more with camel case and digits split off."""
    spelt = _words(filename)
    parted = _words(_HUMP.sub(" ", _part_camel_case(filename)))
    each = spelt if parted == spelt else [*spelt, *parted]
    return " ".join([*each, *catenated(PurePosixPath(filename).stem), *emoji_words(filename)])


def _words(text: str) -> list[str]:
    indexed: list[str] = []
    for token in tokens(text):
        indexed.append(token.word)
        if token.ends_run:
            indexed.append(token.word[-1])
    return indexed


def _part_camel_case(name: str) -> str:
    parts: list[str] = []
    for before, char, after in zip(" " + name, name, name[1:] + " ", strict=False):
        if char.isupper() and (before.islower() or (before.isupper() and after.islower())):
            parts.append(" ")
        parts.append(char)
    return "".join(parts)
