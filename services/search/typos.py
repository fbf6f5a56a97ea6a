"""Puts right the words of a query that occur nowhere, where a file's name has a word spelt almost the same. Pure."""

from collections.abc import Collection, Iterable
from dataclasses import replace

from rapidfuzz.distance import OSA

from search.folding import is_unspaced, words
from search.query import Query, Term
from search.ranking import TextHit

REACH = 2
"""Letters changed, missing, too many or swapped, in words of seven letters and more; one in shorter ones."""

_SHORTEST = 5
_TWO_FROM = 7
_LONGEST = 32
_LEAST_NAME_WORD = 4
_CERTAINTY = 0.8
"""What is found by a guess counts a little less than what is found as it was asked for."""


def name_words(filename: str) -> set[str]:
    """The words of a file name that may be misspelt: letters only, neither very short nor very long."""
    return {word for word in words(filename) if _LEAST_NAME_WORD <= len(word) <= _LONGEST and _is_spelt(word)}


def doubtful(query: Query, hits: Iterable[TextHit]) -> set[str]:
    """The words long enough to be guessed at that occur in none of the files found."""
    found = {word for hit in hits for word in hit.found}
    asked = {word for term in query.terms for word in term.words}
    return {word for word in asked - found if _SHORTEST <= len(word) <= _LONGEST and _is_spelt(word)}


def corrected(query: Query, doubted: Collection[str], known: Collection[str]) -> Query | None:
    """The query with each doubted word as the nearest known one; None when no word is near enough to any."""
    instead = {word: near for word in doubted if (near := _nearest(word, known))}
    if not instead:
        return None
    terms = dict.fromkeys(_term(term, instead) for term in query.terms)
    return replace(query, terms=tuple(terms))


def guessed(hits: Iterable[TextHit]) -> list[TextHit]:
    """The hits of a corrected query as they count beside those of the query itself."""
    return [hit._replace(coverage=hit.coverage * _CERTAINTY) for hit in hits]


def _term(term: Term, instead: dict[str, str]) -> Term:
    if not any(word in instead for word in term.words):
        return term
    return Term(tuple(instead.get(word, word) for word in term.words))


def _nearest(word: str, known: Collection[str]) -> str | None:
    reach = REACH if len(word) >= _TWO_FROM else 1
    near = ((OSA.distance(word, other, score_cutoff=reach), other) for other in known if other[0] == word[0])
    return min(((distance, other) for distance, other in near if 0 < distance <= reach), default=(0, None))[1]


def _is_spelt(word: str) -> bool:
    return word.isalpha() and not is_unspaced(word)
