"""Words into their stems, as they are folded and as they are spelt: what is indexed and what is asked, in the same SQL.

Stemmers know endings by their accents ("informação", "informações"): words that folding changes are stemmed as they are
spelt too. Those stems are folded afterwards, so that a query without accents finds them where it has the same stem.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from search.folding import ACCENTS
from search.query import Term
from search.store.statements import Asking, statement

_STEMS = "array_to_string(tsvector_to_array(to_tsvector(CAST(CAST({config} AS text) AS regconfig), {words})), ' ')"

_FOLDED = f"""translate(normalize(regexp_replace(normalize({_STEMS}, NFD), '[{ACCENTS}]+', '', 'g'), NFC),
    'łøđðħıŧ', 'loddhit')"""


def indexed(config: str, spelt: str) -> str:
    """SQL for the stems of words as they are spelt as a ``tsvector``, of SQL for the configuration and the words."""
    folded = _FOLDED.format(config=config, words=spelt)
    return f"""CASE WHEN {spelt} = '' THEN CAST('' AS tsvector)
        ELSE array_to_tsvector(array_remove(string_to_array({folded}, ' '), '')) END"""


_ASKED = f"""SELECT w.word, w.spelt,
    ARRAY(SELECT {_STEMS.format(config="c.config", words="w.word")}
        FROM unnest(CAST(:configs AS text[])) AS c(config)) AS stems,
    ARRAY(SELECT {_FOLDED.format(config="c.config", words="w.spelt")}
        FROM unnest(CAST(:configs AS text[])) AS c(config)) AS as_spelt
    FROM unnest(CAST(:words AS text[]), CAST(:spelt AS text[])) AS w(word, spelt)"""  # noqa: S608 - constants only


class Stems(NamedTuple):
    """Of one word in each configuration, empty where it is a stop word there; and of the word as it is spelt."""

    folded: Sequence[str]
    spelt: Sequence[str]


_MOST_KNOWN = 20_000
_KNOWN: dict[tuple[tuple[str, ...], str, str], Stems] = {}


async def of(asking: Asking, configs: tuple[str, ...], terms: Iterable[Term]) -> dict[str, Stems]:
    """Those of each term's word; the server's dictionaries never change, so each is asked once."""
    wanted = [(configs, term.words[0], term.spelt) for term in terms]
    found = {key: _KNOWN[key] for key in wanted if key in _KNOWN}
    asked = [key for key in wanted if key not in found]
    if asked:
        values = {"configs": list(configs), "words": [key[1] for key in asked], "spelt": [key[2] for key in asked]}
        rows = await asking.execute(statement(_ASKED), values)
        told = {(configs, row.word, row.spelt): Stems(tuple(row.stems), tuple(row.as_spelt)) for row in rows}
        if len(_KNOWN) > _MOST_KNOWN:
            _KNOWN.clear()
        _KNOWN.update(told)
        found |= told
    return {key[1]: found[key] for key in wanted}
