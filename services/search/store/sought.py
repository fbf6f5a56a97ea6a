"""The terms of a query into what the index of words is asked: each a tsquery in all its languages, and a bit."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from search.query import Query, Term
from search.stop_words import keeps_enough, stop_words
from search.store import stems
from search.store.statements import Asking

# The best passage's mask, below the number of its terms; of the same number whichever, but always the same one.
BEST_MASK = "max((CAST(bit_count(CAST(mask AS bit(64))) AS bigint) << 32) | mask) {of} & 4294967295"
"""An aggregate over rows with a ``mask``; ``of`` may be a FILTER."""


@dataclass(frozen=True)
class Sought:
    """A term as a tsquery, and its bit."""

    bit: int
    tsquery: str
    term: Term
    quoted: bool


async def sought(asking: Asking, query: Query, configs: Sequence[str]) -> list[Sought]:
    """Stop words (:mod:`search.stop_words`) are left out, unless nothing else is left."""
    known = await stems.of(asking, tuple(configs), (term for term in query.terms if term.is_plain))
    by_language = [[word for word, its in known.items() if not its.folded[i]] for i in range(len(configs))]
    stopped = stop_words(list(known), by_language)
    telling = [term for term in query.terms if not term.is_plain or term.words[0] not in stopped]
    required = {term.words for term in query.required}
    return [
        Sought(1 << i, _tsquery(term, known), term, term.words in required)
        for i, term in enumerate(telling or query.terms)
    ]


def mask(terms: int) -> str:
    """Which of so many terms a row of ``words w`` holds, each spelt out: joining them takes ten times as long."""
    held = (f"(CASE WHEN w.words @@ CAST(:q{i} AS tsquery) THEN {1 << i} ELSE 0 END)" for i in range(terms))
    return f"CAST({' | '.join(held)} AS bigint)"


def mask_parameters(terms: Sequence[Sought]) -> dict[str, Any]:
    """The values of :func:`mask`."""
    return {f"q{i}": term.tsquery for i, term in enumerate(terms)}


def _tsquery(term: Term, known: Mapping[str, stems.Stems]) -> str:
    """Each variant once: every one more is looked up in the index and in each row."""
    if not term.is_plain:
        return term.tsquery
    (word,) = term.words
    own = known[word]
    found_by = [stem for stem in (*own.folded, *own.spelt) if stem and keeps_enough(stem, word)]
    variants = dict.fromkeys([term.tsquery.removeprefix("(").removesuffix(")"), *map(_all_of, found_by)])
    return "(" + " | ".join(variants) + ")"


def _all_of(parts: str) -> str:
    """Of a word that Postgres takes for several."""
    return " & ".join(f"'{part}'" for part in parts.split())
