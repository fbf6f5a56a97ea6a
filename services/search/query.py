"""Parses what a person typed into terms: words, codes and quoted phrases to find, and those that must be absent."""

import re
from dataclasses import dataclass
from functools import cache

from search import dates
from search.emoji import emoji_words, with_names
from search.folding import Token, is_unspaced, spelt_text, tokens, words
from search.respelling import as_one, of_code, parted, with_digraphs, with_neighbours, without_particle
from search.terms import HIRAGANA, SHORT_RUN, Phrase, Term

MAX_TERMS = 32
"""Further terms are ignored, required and excluded ones too; their meaning still counts through the vector."""

_MIN_CODE_LENGTH = 4
_MEANINGLESS_FROM = 4
_QUANTITY = re.compile(r"\d+[^\W\d]+")
_QUOTES = '"“”„«»「」『』\uff02'
_PIECE = re.compile(
    rf"(?P<minus>(?<!\S)-(?!-))?(?:[{_QUOTES}](?P<quoted>[^{_QUOTES}]*)[{_QUOTES}]|(?P<plain>[^\s{_QUOTES}]+))"
)
_FILE_NAME = re.compile(r"[^\s/]+\.[A-Za-z][A-Za-z0-9]{1,4}$")
_IDENTIFIER = re.compile(r"^--[^\W\d_]|[^\W_](?:_+|::)[^\W_]")
_LETTER = re.compile("[A-Za-z]")
_WITHOUT_HIRAGANA = re.compile("[\u30a0-\u30fb\u30fd-\u30ff\u3400-\u9fff]")
_KANA_PARTS = re.compile("[\u3041-\u309f][\u3041-\u309f\u30fc]*|[^\u3041-\u309f]+")
_PARTICLE = re.compile("[\u3041-\u309f]{1,2}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]+")


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
    def is_of_codes(self) -> bool:
        """True if all terms are codes, dates or numbers of many digits: nothing else comes near them in meaning.

        ``covid19``, ``9/11`` and ``1080p`` are codes too, but mean something.
        """
        coded = {word for term in self.terms if term.literal and _means_nothing(term.words) for word in term.words}
        return bool(coded) and all(coded.union(dates.OF).issuperset(term.words) for term in self.terms)

    @property
    def is_empty(self) -> bool:
        """True if there is nothing to search for."""
        return not self.text


def _means_nothing(code: Phrase) -> bool:
    if dates.is_in_words(code):
        return True
    letters = "".join(code)
    digits = sum(map(str.isdecimal, letters))
    return digits >= _MEANINGLESS_FROM and 2 * digits >= len(letters) and not _QUANTITY.fullmatch(letters)


def printable(text: str) -> str:
    """Returns the text without control and direction characters, white space collapsed."""
    return " ".join(_CONTROL.sub(" ", text).split())


def parse(text: str) -> Query:
    """Parses quotes, a leading minus, a trailing asterisk, codes and file names; any text is a valid query.

    Options of commands exclude nothing: ``--no-cache`` is a code, ``-R`` a word.
    """
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
        if piece["minus"] and (spoken or not content[0].isdigit()) and not _LETTER.fullmatch(content):
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
    for term in with_neighbours(terms):
        each.setdefault(term.words, term)
    return Query(
        " ".join(spoken), tuple(each.values())[:MAX_TERMS], tuple(required[:MAX_TERMS]), tuple(excluded[:MAX_TERMS])
    )


def _excluded(content: str, found: Phrase) -> Term:
    """Returns a term of every spelling that would be found; not of other forms of its words."""
    begins = content.endswith("*")
    respelt = dict.fromkeys(spelling for term in _terms(content, found) for spelling in term.respelt)
    return Term(found, literal=not begins, respelt=tuple(respelt), begins=begins)


def _terms(content: str, found: Phrase) -> list[Term]:
    if HIRAGANA.search(content) and _WITHOUT_HIRAGANA.search(content):
        # Japanese writes endings and particles in hiragana: the words are what stands between them.
        parts = (part for part in _KANA_PARTS.findall(content) if not _PARTICLE.fullmatch(part))
        return [term for part in parts if (inside := words(part)) for term in _terms(part, inside)]
    if content.endswith("*") and not is_unspaced(found[-1]):
        return [Term(found, begins=True)]
    if _is_name_or_code(content, found):
        return [Term(found, literal=True, respelt=of_code(content, found))]
    if len(found) <= SHORT_RUN and all(is_unspaced(word) for word in found):
        return [Term(found, respelt=without_particle(found))]
    whole = as_one(content, found)
    first: dict[str, Token] = {}
    for token in tokens(content):
        first.setdefault(token.word, token)
    return [_word(word, content[token.start : token.end], whole) for word, token in first.items()]


def _word(word: str, written: str, whole: tuple[Phrase, ...]) -> Term:
    spelt = spelt_text(written)
    apart = parted((word,)) if word[0].isdigit() else ()
    return Term((word,), spelt=spelt, respelt=(*whole, *with_digraphs(word, spelt), *apart))


def _is_name_or_code(content: str, found: Phrase) -> bool:
    if len(found) > 1 and (_FILE_NAME.match(content) or _IDENTIFIER.search(content)):
        return True
    whole = "".join(found)
    if not any(char.isdigit() for char in whole) or any(is_unspaced(word) for word in found):
        return False
    return len(found) > 1 or (len(whole) >= _MIN_CODE_LENGTH and not dates.YEAR.fullmatch(whole))
