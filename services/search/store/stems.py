"""Stems words as they are folded and as they are spelt, with the same SQL for documents and queries.

Stemmers know endings by their accents ("informação", "informações"), so words that folding changes are also stemmed as
they are spelt. Those stems are folded afterwards: a query without accents finds them if it has the same stem.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from search.folding import ACCENTS
from search.store.statements import Transaction, statement
from search.terms import Term

_STEMS = "array_to_string(tsvector_to_array(to_tsvector(CAST(CAST({config} AS text) AS regconfig), {words})), ' ')"

_FOLDED = f"""translate(normalize(regexp_replace(normalize({_STEMS}, NFD), '[{ACCENTS}]+', '', 'g'), NFC),
    'łøđðħıŧ', 'loddhit')"""


def indexed(config: str, spelt: str) -> str:
    """Returns SQL for the ``tsvector`` of the folded stems of words as they are spelt.

    ``config`` and ``spelt`` are SQL for the text search configuration and for the words, separated by spaces.
    """
    folded = _FOLDED.format(config=config, words=spelt)
    return f"""CASE WHEN {spelt} = '' THEN CAST('' AS tsvector)
        ELSE array_to_tsvector(array_remove(string_to_array({folded}, ' '), '')) END"""


_STEMS_OF_WORDS = f"""SELECT w.word, w.spelt,
    ARRAY(SELECT {_STEMS.format(config="c.config", words="w.word")}
        FROM unnest(CAST(:configs AS text[])) AS c(config)) AS stems,
    ARRAY(SELECT {_FOLDED.format(config="c.config", words="w.spelt")}
        FROM unnest(CAST(:configs AS text[])) AS c(config)) AS as_spelt
    FROM unnest(CAST(:words AS text[]), CAST(:spelt AS text[])) AS w(word, spelt)"""  # noqa: S608 - constants only


class Stems(NamedTuple):
    """The stems of one word in each configuration, folded and as spelt; empty where it is a stop word."""

    folded: Sequence[str]
    spelt: Sequence[str]


_MOST_KNOWN = 20_000
_KNOWN: dict[tuple[tuple[str, ...], str, str], Stems] = {}


async def of(transaction: Transaction, configs: tuple[str, ...], terms: Iterable[Term]) -> dict[str, Stems]:
    """Returns the stems of each term's word; dictionaries of the server never change, so each word is stemmed once."""
    keys = [(configs, term.words[0], term.spelt) for term in terms]
    found = {key: _KNOWN[key] for key in keys if key in _KNOWN}
    unknown = [key for key in keys if key not in found]
    if unknown:
        values = {"configs": list(configs), "words": [key[1] for key in unknown], "spelt": [key[2] for key in unknown]}
        rows = await transaction.execute(statement(_STEMS_OF_WORDS), values)
        stemmed = {(configs, row.word, row.spelt): Stems(tuple(row.stems), tuple(row.as_spelt)) for row in rows}
        if len(_KNOWN) > _MOST_KNOWN:
            _KNOWN.clear()
        _KNOWN.update(stemmed)
        found |= stemmed
    return {key[1]: found[key] for key in keys}
