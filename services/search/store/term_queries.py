"""Turns each query term into a tsquery over the user's languages and assigns it a bit of the match mask."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from search.folding import DEFAULT_CONFIG, SIMPLE
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
    """A term of the query, its tsquery text and its bit in masks; ``quoted``: it is a quoted phrase.

    ``by_config``: text search configuration → its tsquery for texts of that language: with no stems but its own and
    those of English, of which there are words in texts of all languages.
    """

    bit: int
    tsquery: str
    term: Term
    quoted: bool
    by_config: Mapping[str, str]


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
        TermQuery(
            1 << i,
            _tsquery(term, known, range(len(stemmed))),
            term,
            term.words in required,
            {config: _tsquery(term, known, _places(stemmed, config)) for config in configs},
        )
        for i, term in enumerate(searched or query.terms)
    ]


def mask(terms: int, *, of_language: bool = False) -> str:
    """Returns SQL for the mask of the terms that a row of ``words w`` holds.

    Each term is spelt out: joining a list of them takes ten times as long. ``of_language``: by the stems of the file's
    language, which :func:`language_of_file` joins; names are in any language.
    """
    any_language = [f"CAST(:q{i} AS tsquery)" for i in range(terms)]
    own = [f"CASE WHEN w.ordinal = -1 THEN {query} ELSE own.q{i} END" for i, query in enumerate(any_language)]
    queries = own if of_language else any_language
    held = (f"(CASE WHEN w.words @@ ({query}) THEN {1 << i} ELSE 0 END)" for i, query in enumerate(queries))
    return f"CAST({' | '.join(held)} AS bigint)"


def language_of_file(terms: int) -> str:
    """Returns SQL that joins to ``words w`` the queries for texts in the language of the file."""
    names = ", ".join(f"t{i}" for i in range(terms))
    texts = ", ".join(f"CAST(:of_languages{i} AS text[])" for i in range(terms))
    queries = ", ".join(f"CAST(t{i} AS tsquery) AS q{i}" for i in range(terms))
    return f"""JOIN files of_row ON of_row.upload_id = w.upload_id
        JOIN (SELECT config, {queries}
            FROM unnest(CAST(:configs AS text[]), {texts}) AS t(config, {names}) OFFSET 0) own
        ON own.config = of_row.text_config"""  # noqa: S608 - constants only


def language_parameters(terms: Sequence[TermQuery]) -> dict[str, Any]:
    """Returns the values of :func:`language_of_file`."""
    values: dict[str, Any] = {"configs": list(terms[0].by_config)}
    return values | {f"of_languages{i}": list(term.by_config.values()) for i, term in enumerate(terms)}


def mask_parameters(terms: Sequence[TermQuery]) -> dict[str, Any]:
    """Returns the values of :func:`mask`."""
    return {f"q{i}": term.tsquery for i, term in enumerate(terms)}


def _places(stemmed: Sequence[str], config: str) -> list[int]:
    return [place for place, one in enumerate(stemmed) if one in {config, DEFAULT_CONFIG}]


def _tsquery(term: Term, known: Mapping[str, stems.Stems], places: Iterable[int]) -> str:
    """Returns the tsquery of a term: any of its spellings and of its stems at these ``places``, each once.

    Every further variant costs one more index lookup and one more comparison per row.
    """
    if not term.is_plain:
        return term.tsquery
    (word,) = term.words
    own = known[word]
    its_stems = [of_language[place] for of_language in (own.folded, own.spelt) for place in places]
    found_by = [stem for stem in its_stems if stem and keeps_enough(stem, word)]
    variants = dict.fromkeys([term.tsquery.removeprefix("(").removesuffix(")"), *map(_all_of, found_by)])
    return "(" + " | ".join(variants) + ")"


def _all_of(parts: str) -> str:
    """Returns the tsquery of a word that Postgres splits into several."""
    return " & ".join(f"'{part}'" for part in parts.split())
