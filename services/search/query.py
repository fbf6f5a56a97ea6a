"""Parses what a person typed into terms: words, codes and quoted phrases to find, and those that must be absent."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import pairwise

from search.catenation import joined
from search.emoji import emoji_words, with_names
from search.folding import Token, is_unspaced, spelt_text, tokens, words

MAX_TERMS = 32
"""Further terms are ignored, required and excluded ones too; their meaning still counts through the vector."""

_MIN_CODE_LENGTH = 4
_SHORT_RUN = 3
_YEAR = re.compile(r"(?:19|20)\d\d")
_TWO_PARTS = re.compile(r"([^\W\d_]+)(\d+)|(\d+)([^\W\d_]+)")
_VERSION = re.compile(r"v?\d+(?:\.\d+)+", re.IGNORECASE)
_LONGEST_UNIT = 4
_QUOTES = '"“”„«»「」『』\uff02'
_PIECE = re.compile(
    rf"(?P<minus>(?<!\S)-)?(?:[{_QUOTES}](?P<quoted>[^{_QUOTES}]*)[{_QUOTES}]|(?P<plain>[^\s{_QUOTES}]+))"
)
_FILE_NAME = re.compile(r"[^\s/]+\.[A-Za-z][A-Za-z0-9]{1,4}$")
_HIRAGANA = re.compile("[\u3041-\u309f]")
_WITHOUT_HIRAGANA = re.compile("[\u30a0-\u30fb\u30fd-\u30ff\u3400-\u9fff]")
_KANA_PARTS = re.compile("[\u3041-\u309f][\u3041-\u309f\u30fc]*|[^\u3041-\u309f]+")
_PARTICLE = re.compile("[\u3041-\u309f]{1,2}")
_HANGUL = re.compile("[\uac00-\ud7af]+")
_DIGRAPHS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe"})
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]+")

Phrase = tuple[str, ...]
"""Folded words that follow each other."""


@dataclass(frozen=True)
class Term:
    """Words that must follow each other. ``literal``: a code, file name or phrase, which is enough to find a file by.

    ``spelt``: a single word in lower case with its accents, if folding changed it. ``respelt``: other spellings that
    match as well: ``PO-88012`` and ``PO88012``, ``e-mail`` and ``email``, ``250ml`` and ``250 ml``, ``Köln`` and
    ``Koeln``. ``begins``: its last word may be the beginning of a longer one.
    """

    words: Phrase
    literal: bool = False
    spelt: str = field(default="", compare=False)
    respelt: tuple[Phrase, ...] = field(default=(), compare=False)
    begins: bool = False

    @property
    def is_plain(self) -> bool:
        """True for a single word that is searched in all its forms."""
        return len(self.words) == 1 and not self.literal and not self.begins

    @property
    def tsquery(self) -> str:
        """The term as a tsquery text of the ``simple`` configuration; words are letters and digits: quoting is safe."""
        spellings = [_following(self.words, begins=self.begins), *map(_following, self.respelt)]
        if self.literal and len(self.words) == 1 and not is_unspaced(self.words[0]):
            # Stems lie beside the words, but without positions: the word itself is where it is.
            spellings[0] = f"('{self.words[0]}' <0> '{self.words[0]}')"
        if not self.literal and _is_two_words(self.words):
            spellings.append(f"('{self.words[0]}' & '{self.words[-1]}')")
        return f"({' | '.join(spellings)})" if len(spellings) > 1 else spellings[0]


@dataclass(frozen=True)
class Query:
    """A parsed query. ``text`` goes to the encoder; all phrases of ``required`` must occur in a file, none of
    ``excluded`` may.
    """

    text: str
    terms: tuple[Term, ...]
    required: tuple[Term, ...]
    excluded: tuple[Term, ...]

    @property
    def words(self) -> frozenset[str]:
        """The words of its terms."""
        return frozenset(word for term in self.terms for word in term.words)

    @property
    def is_empty(self) -> bool:
        """True if there is nothing to search for."""
        return not self.text


def printable(text: str) -> str:
    """Returns the text without control and direction characters, white space collapsed."""
    return " ".join(_CONTROL.sub(" ", text).split())


def parse(text: str) -> Query:
    """Parses quotes, a leading minus, a trailing asterisk, codes and file names; any text is a valid query."""
    terms: list[Term] = []
    required: list[Term] = []
    excluded: list[Term] = []
    spoken: list[str] = []
    terms_of = cache(_terms)  # the same word may be there five hundred times
    for piece in _PIECE.finditer(printable(text)):
        quoted, plain = piece["quoted"], piece["plain"]
        content = quoted if quoted is not None else plain
        found, signs = words(content), emoji_words(content)
        if not found and not signs:
            continue
        if piece["minus"] and (spoken or not content[0].isdigit()):
            is_exact = quoted is not None or not found
            excluded.append(Term(found or (signs[0],), literal=True) if is_exact else _excluded(content, found))
            continue
        spoken.append(with_names(content))
        terms += [Term((sign,)) for sign in signs]
        if found and quoted is not None:
            required.append(Term(found, literal=True))
            terms.append(required[-1])
        elif found:
            terms += terms_of(content, found)
    each: dict[Phrase, Term] = {}
    for term in _with_units(terms):
        each.setdefault(term.words, term)
    return Query(
        " ".join(spoken), tuple(each.values())[:MAX_TERMS], tuple(required[:MAX_TERMS]), tuple(excluded[:MAX_TERMS])
    )


def _excluded(content: str, found: Phrase) -> Term:
    """Returns a term of every spelling that would be found; not of other forms of its words."""
    begins = content.endswith("*")
    respelt = dict.fromkeys(spelling for term in _terms(content, found) for spelling in term.respelt)
    return Term(found, literal=not begins, respelt=tuple(respelt), begins=begins)


def _following(phrase: Phrase, *, begins: bool = False) -> str:
    steps = (f" <{_distance(*two)}> '{two[1]}'" for two in pairwise(phrase))
    # A single character of a script without spaces is the beginning of a pair more often than a run of its own.
    open_end = begins or (len(phrase[-1]) == 1 and is_unspaced(phrase[-1]))
    return f"('{phrase[0]}'{''.join(steps)}{':*' if open_end else ''})"


def _is_two_words(run: Phrase) -> bool:
    """True for four characters of Chinese or Japanese: mostly two words, which need not stand together."""
    return len(run) == _SHORT_RUN and all(map(is_unspaced, run)) and not _HIRAGANA.search("".join(run))


def _distance(word: str, following: str) -> int:
    """Returns the distance of two tokens in the index, where a run without spaces has its last character once more."""
    ends_run = len(word) == 2 and is_unspaced(word) and not (is_unspaced(following) and following[0] == word[1])
    return 2 if ends_run else 1


def _terms(content: str, found: Phrase) -> list[Term]:
    if _HIRAGANA.search(content) and _WITHOUT_HIRAGANA.search(content):
        # Japanese writes endings and particles in hiragana: the words are what stands between them.
        parts = (part for part in _KANA_PARTS.findall(content) if not _PARTICLE.fullmatch(part))
        return [term for part in parts if (inside := words(part)) for term in _terms(part, inside)]
    if content.endswith("*") and not is_unspaced(found[-1]):
        return [Term(found, begins=True)]
    if _is_name_or_code(content, found):
        return [
            Term(found, literal=True, respelt=(*_joined(content, found), *_parted(found), *_version(content, found)))
        ]
    if len(found) <= _SHORT_RUN and all(is_unspaced(word) for word in found):
        return [Term(found, respelt=_without_particle(found))]
    whole = _joined(content, found)
    first: dict[str, Token] = {}
    for token in tokens(content):
        first.setdefault(token.word, token)
    return [_word(word, content[token.start : token.end], whole) for word, token in first.items()]


def _word(word: str, written: str, whole: tuple[Phrase, ...]) -> Term:
    spelt = spelt_text(written)
    digraphs = words(spelt.translate(_DIGRAPHS)) if spelt else ()
    respelt = (*whole, digraphs) if len(digraphs) == 1 and digraphs[0] != word else whole
    return Term((word,), spelt=spelt, respelt=respelt)


def _joined(content: str, found: Phrase) -> tuple[Phrase, ...]:
    whole = joined(content, found) if len(found) > 1 else ""
    return (tuple(whole.split()),) if whole else ()


def _parted(found: Phrase) -> tuple[Phrase, ...]:
    """Returns a code of letters and digits as two words; one that alternates more often is a hash and is left whole."""
    parts = _TWO_PARTS.fullmatch(found[0]) if len(found) == 1 else None
    return (tuple(part for part in parts.groups() if part),) if parts else ()


def _version(content: str, found: Phrase) -> tuple[Phrase, ...]:
    """Returns ``v2.3.1`` for ``2.3.1``, and the other way round."""
    if not _VERSION.fullmatch(content):
        return ()
    number = found[0].removeprefix("v")
    return ((number if number != found[0] else f"v{number}", *found[1:]),)


def _without_particle(found: Phrase) -> tuple[Phrase, ...]:
    """Returns a Korean word without its last character, which is mostly a particle written together with it."""
    return (found[:-1],) if len(found) > 1 and all(map(_HANGUL.fullmatch, found)) else ()


def _with_units(terms: Sequence[Term]) -> list[Term]:
    """Adds the joined spelling to a number and its unit: ``16GB`` to ``16 GB``, ``DE123456789`` to ``DE 123456789``."""
    found = list(terms)
    for at, (one, other) in enumerate(pairwise(terms)):
        if len(one.words) == len(other.words) == 1 and _is_number_and_unit(one.words[0], other.words[0]):
            whole = (one.words[0] + other.words[0],)
            for place in (at, at + 1):
                found[place] = replace(found[place], respelt=(*found[place].respelt, whole))
    return found


def _is_number_and_unit(one: str, other: str) -> bool:
    unit = other if one.isdecimal() else one
    return one.isdecimal() != other.isdecimal() and unit.isalpha() and unit.isascii() and len(unit) <= _LONGEST_UNIT


def _is_name_or_code(content: str, found: Phrase) -> bool:
    if len(found) > 1 and _FILE_NAME.match(content):
        return True
    whole = "".join(found)
    if not any(char.isdigit() for char in whole) or any(is_unspaced(word) for word in found):
        return False
    return len(found) > 1 or (len(whole) >= _MIN_CODE_LENGTH and not _YEAR.fullmatch(whole))
