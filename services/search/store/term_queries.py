"""Turns each query term into a tsquery over the user's languages and assigns it a bit of the match mask."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from search.folding import SIMPLE
from search.query import Query
from search.stop_words import LACKING, WITHOUT_STEMMER, keeps_enough, stop_words
from search.store import stems
from search.store.statements import Transaction
from search.terms import Term

# The mask of the passage with the most terms. Their number stands in the high 32 bits and the mask in the low ones, so
# max() breaks ties the same way every time.
BEST_MASK = "max((CAST(bit_count(CAST(mask AS bit(64))) AS bigint) << 32) | mask) {of} & 4294967295"
"""An aggregate over rows with a ``mask``; ``of`` may be a FILTER clause."""


@dataclass(frozen=True)
class TermQuery:
    """A term of the query, its tsquery text and its bit in masks; ``quoted``: it is a quoted phrase."""

    bit: int
    tsquery: str
    term: Term
    quoted: bool


async def term_queries(transaction: Transaction, query: Query, configs: Sequence[str]) -> list[TermQuery]:
    """Returns the terms to search; stop words (:mod:`search.stop_words`) are left out unless nothing else is left.

    ``configs``: those of the user's languages; ``simple`` stands for any language without a stemmer.
    """
    stemmed = tuple(config for config in configs if config != SIMPLE)
    known = await stems.of(transaction, stemmed, (term for term in query.terms if term.is_plain))
    accented = {term.words[0] for term in query.terms if term.is_plain and term.spelt}
    by_language = [
        [
            word
            for word, its in known.items()
            if not its.folded[i] or word in LACKING.get(config, ()) or (word in accented and not its.spelt[i])
        ]
        for i, config in enumerate(stemmed)
    ]
    others = [its.intersection(known) for its in WITHOUT_STEMMER] if SIMPLE in configs else []
    stopped = stop_words(list(known), by_language, others)
    searched = [term for term in query.terms if not term.is_plain or term.words[0] not in stopped]
    required = {term.words for term in query.required}
    return [
        TermQuery(1 << i, _tsquery(term, known), term, term.words in required)
        for i, term in enumerate(searched or query.terms)
    ]


def mask(terms: int) -> str:
    """Returns SQL for the mask of the terms that a row of ``words w`` holds.

    Each term is spelt out: joining a list of them takes ten times as long.
    """
    held = (f"(CASE WHEN w.words @@ CAST(:q{i} AS tsquery) THEN {1 << i} ELSE 0 END)" for i in range(terms))
    return f"CAST({' | '.join(held)} AS bigint)"


def mask_parameters(terms: Sequence[TermQuery]) -> dict[str, Any]:
    """Returns the values of :func:`mask`."""
    return {f"q{i}": term.tsquery for i, term in enumerate(terms)}


def _tsquery(term: Term, known: Mapping[str, stems.Stems]) -> str:
    """Returns the tsquery of a term: any of its spellings and stems, each once.

    Every further variant costs one more index lookup and one more comparison per row.
    """
    if not term.is_plain:
        return term.tsquery
    (word,) = term.words
    own = known[word]
    found_by = [stem for stem in (*own.folded, *own.spelt) if stem and keeps_enough(stem, word)]
    variants = dict.fromkeys([term.tsquery.removeprefix("(").removesuffix(")"), *map(_all_of, found_by)])
    return "(" + " | ".join(variants) + ")"


def _all_of(parts: str) -> str:
    """Returns the tsquery of a word that Postgres splits into several."""
    return " & ".join(f"'{part}'" for part in parts.split())
