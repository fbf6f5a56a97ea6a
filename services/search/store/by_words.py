"""Finds a user's files by the words of their names, summaries and passages.

Not all words of a sentence must occur: a file counts by the share of the query it covers, each word weighing more
the fewer of the user's files have it. Half of that share counts over the whole file and half where most of it stands
together, or long files would win by chance. A literal term (code, file name, quoted phrase) is enough by itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from search.query import Query, Term
from search.ranking import MOMENTS, SUPPORTING_COVERAGE, PassageHit, PassageKey, TextHit, Why
from search.request import Filters
from search.store import filtering
from search.store.statements import Asking, statement
from search.tables import UNEMBEDDED

_STEMS = """SELECT w.word, ARRAY(SELECT CAST(plainto_tsquery(CAST(c.config AS regconfig), w.word) AS text)
    FROM unnest(CAST(:configs AS text[])) AS c(config)) AS stems FROM unnest(CAST(:words AS text[])) AS w(word)"""

_MOST_KNOWN_STEMS = 20_000
_KNOWN_STEMS: dict[tuple[tuple[str, ...], str], tuple[str, ...]] = {}

_BEST_FIRST = "bit_count(CAST(h.mask AS bit(64))) DESC, h.rank DESC, h.ordinal"

# As many as have vectors: counting all files of a large tenant takes longer than finding some of them.
_FILES_OF_USER = """SELECT COALESCE(max(files), 0) AS files FROM (
    SELECT sum(files) AS files FROM vector_counts WHERE user_id = :user_id GROUP BY model_id) of_models"""

_NAME = -1
"""``words`` holds a file's name at this ordinal, at -2 what the analysis says of it, and from 0 on its passages."""

# The best passage's mask, below the number of its terms; of the same number whichever, but always the same one.
_BEST_MASK = """COALESCE(max((CAST(bit_count(CAST(mask AS bit(64))) AS bigint) << 32) | mask)
    FILTER (WHERE ordinal >= 0) & 4294967295, 0)"""

# Row security lets only those rows of `words` through that match a term, by its index (filtering.seek). While the
# passages of two models lie side by side those of the answering one count, and another's in files it has none of.
_FIND = """WITH matching AS MATERIALIZED (
    SELECT w.upload_id, w.model_id, w.ordinal, CAST({mask} AS bigint) AS mask,
        ts_rank(w.words, CAST(:any AS tsquery)) AS rank FROM words w WHERE w.user_id = :user_id),
elsewhere AS MATERIALIZED (
    SELECT o.upload_id FROM (SELECT DISTINCT m.upload_id FROM matching m
        WHERE m.ordinal >= 0 AND m.model_id NOT IN ('', :model_id)) o
    WHERE NOT EXISTS (SELECT FROM passage_sets s WHERE s.upload_id = o.upload_id AND s.model_id = :model_id)),
hit AS NOT MATERIALIZED (
    SELECT m.* FROM matching m WHERE m.ordinal < 0 OR m.model_id IN ('', :model_id)
        OR m.upload_id IN (SELECT e.upload_id FROM elsewhere e)),
found AS MATERIALIZED (
    SELECT upload_id, COALESCE(bit_or(mask) FILTER (WHERE ordinal = {name}), 0) AS name_mask,
        COALESCE(bit_or(mask) FILTER (WHERE ordinal <> {name}), 0) AS text_mask, bit_or(mask) AS mask,
        COALESCE(bit_or(mask) FILTER (WHERE ordinal < 0), 0) | {best_mask} AS together,
        COALESCE(max(rank) FILTER (WHERE ordinal = {name}), 0)
        + COALESCE(max(rank) FILTER (WHERE ordinal >= 0), 0) AS rank
    FROM hit WHERE mask <> 0 GROUP BY upload_id),
weight AS MATERIALIZED (SELECT {weights} FROM found, ({of_user}) a GROUP BY a.files),
scored AS (SELECT g.*, ({share} + {share_together}) / (2 * ({total})) AS coverage FROM found g, weight),
top AS MATERIALIZED (
    SELECT * FROM (
        SELECT * FROM scored WHERE coverage >= :least OR mask & :literal <> 0
        ORDER BY mask & :literal <> 0 DESC, coverage DESC, rank DESC, upload_id OFFSET 0) s
    WHERE EXISTS (SELECT FROM files f WHERE f.upload_id = s.upload_id AND {wanted} OFFSET 0) LIMIT :depth),
best AS (
    SELECT h.upload_id, (array_agg(h.model_id ORDER BY {best_first}))[1:{moments}] AS models,
        (array_agg(h.ordinal ORDER BY {best_first}))[1:{moments}] AS ordinals,
        (array_agg(h.mask ORDER BY {best_first}))[1:{moments}] AS masks
    FROM hit h JOIN top USING (upload_id) WHERE h.ordinal >= 0 AND h.mask <> 0 GROUP BY h.upload_id)
SELECT t.*, b.models, b.ordinals, b.masks FROM top t LEFT JOIN best b USING (upload_id)
ORDER BY t.mask & :literal <> 0 DESC, t.coverage DESC, t.rank DESC, upload_id"""


@lru_cache(maxsize=256)
def _find(terms: int, wanted: str) -> str:
    """The statement for a number of terms, each spelt out: joining them for every row takes ten times as long."""
    bits = [(i, 1 << i) for i in range(terms)]
    shares = " + ".join(f"(CASE WHEN g.{{mask}} & {bit} <> 0 THEN w{i} ELSE 0 END)" for i, bit in bits)
    return _FIND.format(
        mask=" | ".join(f"(CASE WHEN w.words @@ CAST(:q{i} AS tsquery) THEN {bit} ELSE 0 END)" for i, bit in bits),
        weights=", ".join(
            f"ln(1 + greatest(a.files, count(*)) / "
            f"CAST(greatest(count(*) FILTER (WHERE mask & {bit} <> 0), 1) AS float8)) AS w{i}"
            for i, bit in bits
        ),
        share=f"({shares.format(mask='mask')})",
        share_together=f"({shares.format(mask='together')})",
        total=" + ".join(f"w{i}" for i, _ in bits),
        of_user=_FILES_OF_USER,
        name=_NAME,
        best_mask=_BEST_MASK,
        best_first=_BEST_FIRST,
        moments=MOMENTS,
        wanted=wanted,
    )


@dataclass(frozen=True)
class _Sought:
    """A term as a tsquery over all languages in question, and its bit."""

    bit: int
    tsquery: str
    term: Term
    quoted: bool


async def matching(
    asking: Asking,
    user_id: str,
    filters: Filters,
    query: Query,
    configs: Sequence[str],
    depth: int,
    model_id: str = UNEMBEDDED,
) -> list[TextHit]:
    """The ``depth`` files that cover most of the query, those that hold a literal term first.

    Their passages are those that ``model_id`` has vectors of, where a file has such.
    """
    sought = await _sought(asking, query, configs)
    if not sought:
        return []
    literal = sum(s.bit for s in sought if s.term.literal)
    quoted = sum(s.bit for s in sought if s.quoted)
    await filtering.seek(asking, user_id, filters, [s.tsquery for s in sought])
    values = filtering.parameters(user_id, filters) | {f"q{i}": s.tsquery for i, s in enumerate(sought)}
    values |= {
        "any": " | ".join(s.tsquery for s in sought),
        "literal": literal,
        "least": SUPPORTING_COVERAGE,
        "depth": depth,
        "model_id": model_id,
    }
    rows = await asking.execute(statement(_find(len(sought), filtering.wanted_files(filters))), values)
    return [_hit(row, literal, quoted, sought) for row in rows]


async def _sought(asking: Asking, query: Query, configs: Sequence[str]) -> list[_Sought]:
    """Words that one of the languages calls a stop word are left out, unless nothing else is left."""
    plain = [term.words[0] for term in query.terms if _is_plain(term)]
    stems = await _stems(asking, tuple(configs), plain)
    telling = [t for t in query.terms if not _is_plain(t) or all(stems.get(t.words[0], []))]
    required = {term.words for term in query.required}
    return [
        _Sought(1 << i, _tsquery(term, stems.get(term.words[0], [])), term, term.words in required)
        for i, term in enumerate(telling or query.terms)
    ]


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


def _hit(row: Any, literal: int, quoted: int, sought: Sequence[_Sought]) -> TextHit:
    matched = {Why.NAME} if row.name_mask else set[Why]()
    if row.text_mask & quoted:
        matched.add(Why.QUOTED)
    if row.text_mask & ~quoted:
        matched.add(Why.TEXT)
    passages = tuple(
        PassageHit(PassageKey(model, ordinal), mask.bit_count() / len(sought), quoted=bool(mask & quoted))
        for model, ordinal, mask in zip(row.models or (), row.ordinals or (), row.masks or (), strict=True)
    )
    found = frozenset(word for s in sought if row.mask & s.bit for word in s.term.words)
    is_literal = bool(row.mask & literal)
    return TextHit(row.upload_id, min(row.coverage, 1.0), is_literal, frozenset(matched), passages, found)
