"""The terms of a query into what the index of words is asked: each a tsquery in all its languages, and a bit."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from search.query import Query, Term
from search.store.statements import Asking, statement

_STEMS = """SELECT w.word, ARRAY(SELECT CAST(plainto_tsquery(CAST(c.config AS regconfig), w.word) AS text)
    FROM unnest(CAST(:configs AS text[])) AS c(config)) AS stems FROM unnest(CAST(:words AS text[])) AS w(word)"""

_MOST_KNOWN_STEMS = 20_000
_KNOWN_STEMS: dict[tuple[tuple[str, ...], str], tuple[str, ...]] = {}

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
    """Words that one of the languages calls a stop word are left out, unless nothing else is left."""
    plain = [term.words[0] for term in query.terms if _is_plain(term)]
    stems = await _stems(asking, tuple(configs), plain)
    telling = [t for t in query.terms if not _is_plain(t) or all(stems.get(t.words[0], []))]
    required = {term.words for term in query.required}
    return [
        Sought(1 << i, _tsquery(term, stems.get(term.words[0], [])), term, term.words in required)
        for i, term in enumerate(telling or query.terms)
    ]


async def telling(asking: Asking, query: Query, configs: Sequence[str]) -> frozenset[str]:
    """The words of a query that are looked for: what to highlight."""
    return frozenset(word for one in await sought(asking, query, configs) for word in one.term.words)


def mask(terms: int) -> str:
    """Which of so many terms a row of ``words w`` holds, each spelt out: joining them takes ten times as long."""
    held = (f"(CASE WHEN w.words @@ CAST(:q{i} AS tsquery) THEN {1 << i} ELSE 0 END)" for i in range(terms))
    return f"CAST({' | '.join(held)} AS bigint)"


def mask_parameters(terms: Sequence[Sought]) -> dict[str, Any]:
    """The values of :func:`mask`."""
    return {f"q{i}": term.tsquery for i, term in enumerate(terms)}


async def _stems(asking: Asking, configs: tuple[str, ...], words: Sequence[str]) -> dict[str, Sequence[str]]:
    """Each word in the languages in question; the server's dictionaries never change, so each is asked once."""
    if len(_KNOWN_STEMS) > _MOST_KNOWN_STEMS:
        _KNOWN_STEMS.clear()
    asked = [word for word in words if (configs, word) not in _KNOWN_STEMS]
    if asked:
        rows = await asking.execute(statement(_STEMS), {"configs": list(configs), "words": asked})
        _KNOWN_STEMS.update({(configs, row.word): tuple(row.stems) for row in rows})
    return {word: _KNOWN_STEMS[configs, word] for word in words}


def _tsquery(term: Term, stems: Sequence[str]) -> str:
    """Each variant once: every one more is looked up in the index and in each row."""
    if not _is_plain(term):
        return term.tsquery
    variants = dict.fromkeys([term.tsquery.removeprefix("(").removesuffix(")"), *stems])
    return "(" + " | ".join(variant for variant in variants if variant) + ")"


def _is_plain(term: Term) -> bool:
    return len(term.words) == 1 and not term.literal
