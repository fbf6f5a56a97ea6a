"""Turns what a person typed into terms: words, codes and quoted phrases to find, and words that must be absent."""

import re
from dataclasses import dataclass, field
from itertools import pairwise

from search.catenation import joined
from search.folding import is_unspaced, spelt_text, tokens, words

MAX_TERMS = 32
"""Terms beyond are ignored; the meaning of the rest still counts through the vector."""

_MIN_CODE_LENGTH = 4
_SHORT_RUN = 3
_YEAR = re.compile(r"(?:19|20)\d\d")
_TWO_PARTS = re.compile(r"([^\W\d_]+)(\d+)|(\d+)([^\W\d_]+)")
_PIECE = re.compile(r"""(?P<minus>(?<!\S)-)?(?:["“”„«»](?P<quoted>[^"“”„«»]*)["“”„«»]|(?P<plain>[^\s"“”„«»]+))""")
_FILE_NAME = re.compile(r"[^\s/]+\.[A-Za-z][A-Za-z0-9]{1,4}$")
_HIRAGANA = re.compile("[\u3041-\u309f]")
_WITHOUT_HIRAGANA = re.compile("[\u30a0-\u30ff\u3400-\u9fff]")
_KANA_PARTS = re.compile("[\u3041-\u309f]+|[^\u3041-\u309f]+")
_PARTICLE = re.compile("[\u3041-\u309f]{1,2}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]+")


@dataclass(frozen=True)
class Term:
    """Words that must follow each other. ``literal``: a code, file name or phrase; one hit is enough to be found.

    ``spelt``: a single word in lower case with its accents, where folding changed it. ``respelt``: the same with what
    parts it left out or put in: ``PO-88012`` and ``PO88012``, ``e-mail`` and ``email``, ``250ml`` and ``250 ml``.
    """

    words: tuple[str, ...]
    literal: bool = False
    spelt: str = field(default="", compare=False)
    respelt: tuple[str, ...] = field(default=(), compare=False)

    @property
    def tsquery(self) -> str:
        """The term for the ``simple`` configuration; words hold letters and digits only, so quoting is safe."""
        if len(self.words) == 1 and len(self.words[0]) == 1 and is_unspaced(self.words[0]):
            return f"'{self.words[0]}':*"
        spelt = _following(self.words)
        return f"({spelt} | {_following(self.respelt)})" if self.respelt else spelt


@dataclass(frozen=True)
class Query:
    """``text`` goes to the encoder; every phrase of ``required`` must occur in a file, none of ``excluded`` may."""

    text: str
    terms: tuple[Term, ...]
    required: tuple[Term, ...]
    excluded: tuple[Term, ...]

    @property
    def words(self) -> frozenset[str]:
        """Those of its terms."""
        return frozenset(word for term in self.terms for word in term.words)

    @property
    def is_empty(self) -> bool:
        """True when there is nothing to look for."""
        return not self.text


def _following(each: tuple[str, ...]) -> str:
    steps = (f" <{_distance(*two)}> '{two[1]}'" for two in pairwise(each))
    return f"('{each[0]}'{''.join(steps)})"


def _distance(word: str, following: str) -> int:
    """A run without spaces is indexed with its last character once more, after its last pair."""
    ends_run = len(word) == 2 and is_unspaced(word) and not (is_unspaced(following) and following[0] == word[1])
    return 2 if ends_run else 1


def printable(text: str) -> str:
    """Without control and direction characters, white space collapsed."""
    return " ".join(_CONTROL.sub(" ", text).split())


def parse(text: str) -> Query:
    """Reads quotes, a leading minus, codes and file names; any text is a valid query."""
    terms: dict[tuple[str, ...], Term] = {}
    required: list[Term] = []
    excluded: list[Term] = []
    spoken: list[str] = []
    for piece in _PIECE.finditer(printable(text)):
        quoted, plain = piece["quoted"], piece["plain"]
        content = quoted if quoted is not None else plain
        found = words(content)
        if not found:
            continue
        if piece["minus"]:
            excluded.append(Term(found))
            continue
        spoken.append(content)
        if quoted is not None:
            required.append(Term(found, literal=True))
        for term in [Term(found, literal=True)] if quoted is not None else _terms(content, found):
            terms.setdefault(term.words, term)
    return Query(" ".join(spoken), tuple(terms.values())[:MAX_TERMS], tuple(required[:8]), tuple(excluded[:8]))


def _terms(content: str, found: tuple[str, ...]) -> list[Term]:
    if _HIRAGANA.search(content) and _WITHOUT_HIRAGANA.search(content):
        # Japanese writes its endings and particles in hiragana: what stands between them are the words.
        parts = (part for part in _KANA_PARTS.findall(content) if not _PARTICLE.fullmatch(part))
        return [term for part in parts if (inside := words(part)) for term in _terms(part, inside)]
    if _is_name_or_code(content, found):
        return [Term(found, literal=True, respelt=_joined(content, found) or _parted(found))]
    if len(found) <= _SHORT_RUN and all(is_unspaced(word) for word in found):
        return [Term(found)]
    whole = _joined(content, found)
    return [
        Term((token.word,), spelt=spelt_text(content[token.start : token.end]), respelt=whole)
        for token in tokens(content)
    ]


def _joined(content: str, found: tuple[str, ...]) -> tuple[str, ...]:
    word = joined(content, found)
    return (word,) if word else ()


def _parted(found: tuple[str, ...]) -> tuple[str, ...]:
    """Letters and digits of a code are written together, or apart; what alternates more often is a hash."""
    parts = _TWO_PARTS.fullmatch(found[0]) if len(found) == 1 else None
    return tuple(part for part in parts.groups() if part) if parts else ()


def _is_name_or_code(content: str, found: tuple[str, ...]) -> bool:
    if len(found) > 1 and _FILE_NAME.match(content):
        return True
    whole = "".join(found)
    if not any(char.isdigit() for char in whole) or any(is_unspaced(word) for word in found):
        return False
    return len(found) > 1 or (len(whole) >= _MIN_CODE_LENGTH and not _YEAR.fullmatch(whole))
