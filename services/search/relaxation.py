"""Puts right the words of a query that occur nowhere: as the name of a file has them, spelt almost the same or parted.

Pure.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from rapidfuzz.distance import OSA

from search.folding import is_unspaced
from search.query import Query, Term
from search.ranking import TextHit
from search.word_index import name_text

REACH = 2
"""Letters changed, missing, too many or swapped, in words of seven letters and more; one in shorter ones."""

_SHORTEST = 5
_TWO_FROM = 7
_LONGEST = 32
_LEAST_NAME_WORD = 4
_CERTAINTY = 0.8
"""What is found by a guess counts a little less than what is found as it was asked for."""


def name_words(filename: str) -> set[str]:
    """The words of a file name that may be misspelt, with camel case and digits parted as well: letters only, neither
    very short nor very long.
    """
    found = name_text(filename).split()
    return {word for word in found if _LEAST_NAME_WORD <= len(word) <= _LONGEST and _is_spelt(word)}


def doubtful(query: Query, hits: Iterable[TextHit]) -> set[str]:
    """The words long enough to be guessed at that occur in none of the files found."""
    found = {word for hit in hits for word in hit.found}
    asked = {word for term in query.terms for word in term.words}
    return {word for word in asked - found if _SHORTEST <= len(word) <= _LONGEST and _is_spelt(word)}


def inside(word: str) -> set[str]:
    """What may be words of a name of which this one is made: of "camelcase" also "camel" and "case"."""
    least = _LEAST_NAME_WORD
    return {word[i:j] for i in range(len(word) - least + 1) for j in range(i + least, len(word) + 1)} - {word}


def corrected(query: Query, doubted: Collection[str], known: Collection[str]) -> Query | None:
    """The query with each doubted word as the nearest known one, or as the known ones that it is made of.

    None when there is no such word.
    """
    known = frozenset(known)
    instead = {word: meant for word in doubted if (meant := _nearest(word, known) or _parted(word, known))}
    if not instead:
        return None
    terms = dict.fromkeys(_term(term, instead) for term in query.terms)
    return replace(query, terms=tuple(terms))


def guessed(hits: Iterable[TextHit]) -> list[TextHit]:
    """The hits of a corrected query as they count beside those of the query itself."""
    return [hit._replace(coverage=hit.coverage * _CERTAINTY) for hit in hits]


def _term(term: Term, instead: Mapping[str, tuple[str, ...]]) -> Term:
    if not any(word in instead for word in term.words):
        return term
    return Term(tuple(meant for word in term.words for meant in instead.get(word, (word,))))


def _nearest(word: str, known: frozenset[str]) -> tuple[str, ...]:
    reach = REACH if len(word) >= _TWO_FROM else 1
    near = ((OSA.distance(word, other, score_cutoff=reach), other) for other in known if other[0] == word[0])
    best = min((one for one in near if 0 < one[0] <= reach), default=None)
    return (best[1],) if best else ()


def _parted(word: str, known: frozenset[str]) -> tuple[str, ...]:
    """The longest first."""
    for end in range(len(word) - _LEAST_NAME_WORD, _LEAST_NAME_WORD - 1, -1):
        first, rest = word[:end], word[end:]
        if first in known and (others := (rest,) if rest in known else _parted(rest, known)):
            return (first, *others)
    return ()


def _is_spelt(word: str) -> bool:
    return word.isalpha() and not is_unspaced(word)
