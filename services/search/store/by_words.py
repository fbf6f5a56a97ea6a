"""Finds a user's files by the words of their names, summaries and passages.

Not all words of a sentence must occur: a file counts by the share of the query it covers, each word weighing more
the fewer of the user's files have it. Half of that share counts over the whole file and half where most of it stands
together, or long files would win by chance. A literal term (code, file name, quoted phrase) is enough by itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from search.query import Query, Term
from search.ranking import MOMENTS, PassageHit, PassageKey, TextHit, Why
from search.request import Filters
from search.store.retrieval import WANTED_FILES, parameters

LEAST_COVERAGE = 0.4
"""Files that cover less of the query, by weight of its words, are not shown for them: one word of two is enough."""

_STEMS = """SELECT w.word, ARRAY(SELECT CAST(plainto_tsquery(CAST(c.config AS regconfig), w.word) AS text)
    FROM unnest(CAST(:configs AS text[])) AS c(config)) AS stems FROM unnest(CAST(:words AS text[])) AS w(word)"""

_BEST_FIRST = "bit_count(CAST(mask AS bit(64))) DESC, rank DESC, ordinal"

_MASK = "(SELECT COALESCE(bit_or(t.bit), 0) FROM term t WHERE {words} @@ t.q)"

_SHARE = "(SELECT COALESCE(sum(w.weight) FILTER (WHERE {mask} & w.bit <> 0), 0) / sum(w.weight) FROM weight w)"

_FIND = f"""WITH term AS MATERIALIZED (
    SELECT b.bit, CAST(b.q AS tsquery) AS q
    FROM unnest(CAST(:bits AS bigint[]), CAST(:queries AS text[])) AS b(bit, q)),
file AS MATERIALIZED (
    SELECT f.upload_id, {_MASK.format(words="f.name_words")} AS name_mask,
        {_MASK.format(words="f.about_words")} AS mask,
        ts_rank_cd(f.name_words, CAST(:any AS tsquery)) AS rank FROM files f WHERE {WANTED_FILES}),
hit AS MATERIALIZED (
    SELECT p.upload_id, p.model_id, p.ordinal, {_MASK.format(words="p.words")} AS mask,
        ts_rank_cd(p.words, CAST(:any AS tsquery)) AS rank
    FROM passages p WHERE p.user_id = :user_id AND p.words @@ CAST(:any AS tsquery)),
best AS (
    SELECT upload_id, bit_or(mask) AS mask, max(rank) AS rank,
        (array_agg(model_id ORDER BY {_BEST_FIRST}))[1:{MOMENTS}] AS models,
        (array_agg(ordinal ORDER BY {_BEST_FIRST}))[1:{MOMENTS}] AS ordinals,
        (array_agg(mask ORDER BY {_BEST_FIRST}))[1:{MOMENTS}] AS masks
    FROM hit GROUP BY upload_id),
together AS MATERIALIZED (
    SELECT f.upload_id, f.name_mask, f.mask | COALESCE(b.mask, 0) AS text_mask,
        f.name_mask | f.mask | COALESCE(b.mask, 0) AS mask, f.rank + COALESCE(b.rank, 0) AS rank,
        f.name_mask | f.mask | COALESCE(b.masks[1], 0) AS together, b.models, b.ordinals, b.masks
    FROM file f LEFT JOIN best b USING (upload_id) WHERE f.name_mask | f.mask | COALESCE(b.mask, 0) <> 0),
weight AS (
    SELECT t.bit, ln(1 + (SELECT count(*) FROM file) / CAST(greatest(count(g.upload_id), 1) AS float8)) AS weight
    FROM term t LEFT JOIN together g ON g.mask & t.bit <> 0 GROUP BY t.bit),
scored AS (
    SELECT g.*, {_SHARE.format(mask="g.mask")} / 2 + {_SHARE.format(mask="g.together")} / 2 AS coverage
    FROM together g)
SELECT * FROM scored WHERE coverage >= :least OR mask & :literal <> 0
ORDER BY mask & :literal <> 0 DESC, coverage DESC, rank DESC, upload_id LIMIT :depth"""  # noqa: S608 - constants only


@dataclass(frozen=True)
class _Sought:
    """A term as a tsquery over all languages in question, and its bit."""

    bit: int
    tsquery: str
    term: Term
    quoted: bool


async def matching(
    session: AsyncSession, user_id: str, filters: Filters, query: Query, configs: Sequence[str], depth: int
) -> list[TextHit]:
    """The ``depth`` files that cover most of the query, those that hold a literal term first."""
    sought = await _sought(session, query, configs)
    if not sought:
        return []
    literal = sum(s.bit for s in sought if s.term.literal)
    quoted = sum(s.bit for s in sought if s.quoted)
    values = parameters(user_id, filters) | {
        "bits": [s.bit for s in sought],
        "queries": [s.tsquery for s in sought],
        "any": " | ".join(s.tsquery for s in sought),
        "literal": literal,
        "least": LEAST_COVERAGE,
        "depth": depth,
    }
    rows = await session.execute(text(_FIND), values)
    return [_hit(row, literal, quoted, len(sought)) for row in rows]


async def _sought(session: AsyncSession, query: Query, configs: Sequence[str]) -> list[_Sought]:
    """Words that one of the languages calls a stop word are left out, unless nothing else is left."""
    plain = [term.words[0] for term in query.terms if _is_plain(term)]
    stems: dict[str, list[str]] = {}
    if plain:
        rows = await session.execute(text(_STEMS), {"configs": list(configs), "words": plain})
        stems = {row.word: row.stems for row in rows}
    telling = [t for t in query.terms if not _is_plain(t) or all(stems.get(t.words[0], []))]
    required = {term.words for term in query.required}
    return [
        _Sought(1 << i, _tsquery(term, stems.get(term.words[0], [])), term, term.words in required)
        for i, term in enumerate(telling or query.terms)
    ]


def _tsquery(term: Term, stems: Sequence[str]) -> str:
    variants = dict.fromkeys([term.tsquery, *(stems if _is_plain(term) else ())])
    return "(" + " | ".join(variant for variant in variants if variant) + ")"


def _is_plain(term: Term) -> bool:
    return len(term.words) == 1 and not term.literal


def _hit(row: Any, literal: int, quoted: int, terms: int) -> TextHit:
    matched = {Why.NAME} if row.name_mask else set[Why]()
    if row.text_mask & quoted:
        matched.add(Why.QUOTED)
    if row.text_mask & ~quoted:
        matched.add(Why.TEXT)
    passages = tuple(
        PassageHit(PassageKey(model, ordinal), mask.bit_count() / terms, quoted=bool(mask & quoted))
        for model, ordinal, mask in zip(row.models or (), row.ordinals or (), row.masks or (), strict=True)
    )
    return TextHit(row.upload_id, min(row.coverage, 1.0), bool(row.mask & literal), frozenset(matched), passages)
