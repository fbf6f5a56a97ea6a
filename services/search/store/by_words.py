"""Finds a user's files by the words of their names, summaries and passages.

Not all words of a sentence must occur: a file counts by the share of the query it covers, each word weighing more
the fewer of the user's files have it. Half of that share counts over the whole file and half where most of it stands
together, or long files would win by chance. A literal term (code, file name, quoted phrase) is enough by itself.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache, partial
from typing import Any

from search.query import Query
from search.ranking import (
    MOMENTS,
    SUPPORTING_COVERAGE,
    TIERS,
    PassageHit,
    PassageKey,
    TextHit,
    Why,
    no_passages,
    tiers_to,
)
from search.request import Filters
from search.store import filtering, sampling
from search.store.sought import BEST_MASK, Sought, mask, mask_parameters, sought
from search.store.statements import Asking, statement
from search.tables import UNEMBEDDED
from search.thresholds import Weighing, holding, least_share, sample_for

_NAME = -1
"""``words`` holds a file's name at this ordinal, at -2 what the analysis says of it, and from 0 on its passages."""

_ROW = "w.upload_id, w.model_id, w.ordinal, {mask} AS mask, ts_rank(w.words, CAST(:any AS tsquery)) AS rank"

# While the passages of two models lie side by side those of the answering one count, and another's in files it has
# none or only older ones of. CASE, because the planner expects few rows here and would compare each of many with each.
_FIND = """WITH {seeking}, {matching},
elsewhere AS MATERIALIZED (
    SELECT o.upload_id FROM (SELECT DISTINCT m.upload_id FROM matching m
        WHERE m.ordinal >= 0 AND m.model_id NOT IN ('', :model_id)) o
    WHERE NOT EXISTS (SELECT FROM passage_sets s WHERE s.upload_id = o.upload_id AND s.model_id = :model_id
        AND s.run >= (SELECT max(t.run) FROM passage_sets t WHERE t.upload_id = o.upload_id))),
hit AS NOT MATERIALIZED (
    SELECT m.* FROM matching m WHERE m.ordinal < 0 OR m.model_id IN ('', :model_id)
        OR m.upload_id IN (SELECT e.upload_id FROM elsewhere e)),
found AS MATERIALIZED (
    SELECT upload_id, COALESCE(bit_or(mask) FILTER (WHERE ordinal = {name}), 0) AS name_mask,
        COALESCE(bit_or(mask) FILTER (WHERE ordinal <> {name}), 0) AS text_mask, bit_or(mask) AS mask,
        COALESCE(bit_or(mask) FILTER (WHERE ordinal < 0), 0) | COALESCE({best_mask}, 0) AS together,
        COALESCE(max(rank) FILTER (WHERE ordinal = {name}), 0)
        + COALESCE(max(rank) FILTER (WHERE ordinal >= 0), 0) AS rank
    FROM hit WHERE mask <> 0 GROUP BY upload_id),
weight AS MATERIALIZED (SELECT {weights}),
scored AS (SELECT g.*, ({share} + {share_together}) / (2 * ({total})) AS coverage FROM found g, weight),
top AS MATERIALIZED (
    SELECT * FROM (
        SELECT * FROM scored WHERE coverage >= :least OR mask & :literal <> 0
        ORDER BY mask & :literal <> 0 DESC, coverage DESC, rank DESC, upload_id OFFSET 0) s
    WHERE {passes} LIMIT :depth),
best AS MATERIALIZED (
    SELECT h.upload_id, array_agg(h.model_id) AS models, array_agg(h.ordinal) AS ordinals, array_agg(h.mask) AS masks,
        array_agg(h.rank) AS ranks
    FROM hit h WHERE CASE WHEN h.upload_id IN (SELECT upload_id FROM top) THEN h.ordinal >= 0 AND h.mask <> 0 END
    GROUP BY h.upload_id)
SELECT t.upload_id, t.coverage, t.mask, t.name_mask, t.text_mask, b.models, b.ordinals, b.masks, b.ranks
FROM top t LEFT JOIN best b USING (upload_id)
ORDER BY t.mask & :literal <> 0 DESC, t.coverage DESC, t.rank DESC, upload_id"""

# Row security lets only those rows of `words` through that are sought, by its index.
_EVERY = "matching AS MATERIALIZED (SELECT {row} FROM words w WHERE w.user_id = :user_id AND {sought})"
_OF_FEW = """matching AS MATERIALIZED (SELECT {row} FROM words w
    WHERE w.user_id = :user_id AND {sought} AND (w.upload_id IN (SELECT unnest(CAST(:among AS text[])))) IS TRUE)"""
# Name and summary of a file count however little they hold.
_TELLING = """telling AS MATERIALIZED (SELECT {row} FROM words w WHERE w.user_id = :user_id AND {sought}{held}),
matching AS MATERIALIZED (
    SELECT * FROM telling WHERE ordinal >= 0 UNION ALL
    SELECT {row} FROM (SELECT f.upload_id, '' AS model_id, part.ordinal, part.words
        FROM (SELECT * FROM files WHERE user_id = :user_id AND upload_id IN (SELECT upload_id FROM telling)
            AND (name_words @@ CAST(:any AS tsquery) OR about_words @@ CAST(:any AS tsquery)) OFFSET 0) f,
        LATERAL (VALUES (-1, f.name_words), (-2, f.about_words)) AS part (ordinal, words)) w)"""

# Looking up a file is cheaper than reading a passage of it; IS TRUE, so that each is looked up in a table of them.
_HELD = " AND (w.upload_id IN (SELECT upload_id FROM held)) IS TRUE"

_PASSES = "EXISTS (SELECT FROM files f WHERE f.upload_id = s.upload_id AND {wanted} OFFSET 0)"

_WEIGHT = """ln(1 + greatest(CAST(:files AS bigint), count(*))
    / CAST(greatest(count(*) FILTER (WHERE mask & {bit} <> 0), 1) AS float8)) AS w{i}"""
_WEIGHT_GIVEN = "CAST(:w{i} AS float8) AS w{i}"

_MOST_NAMED = 500
"""Wanted files up to which all their passages are read, by their names."""


@lru_cache(maxsize=256)
def _find(terms: int, wanted: str, matching: str, *, weighed: bool, held: bool) -> str:
    """The statement for a number of terms, with their weights ``weighed`` before or by what it finds itself.

    ``held``: files that are not wanted are held out before their passages are looked at.
    """
    shares = " + ".join(f"(CASE WHEN g.{{mask}} & {1 << i} <> 0 THEN w{i} ELSE 0 END)" for i in range(terms))
    weights = ", ".join((_WEIGHT_GIVEN if weighed else _WEIGHT).format(i=i, bit=1 << i) for i in range(terms))
    return _FIND.format(
        seeking=filtering.HELD.format(wanted=wanted) if held else filtering.SEEKING,
        matching=matching.format(
            row=_ROW.format(mask=mask(terms)),
            sought=filtering.SOUGHT,
            held=_HELD if held else "",
        ),
        best_mask=BEST_MASK.format(of="FILTER (WHERE ordinal >= 0)"),
        weights=weights if weighed else f"{weights} FROM found",
        share=f"({shares.format(mask='mask')})",
        share_together=f"({shares.format(mask='together')})",
        total=" + ".join(f"w{i}" for i in range(terms)),
        name=_NAME,
        passes="TRUE" if held else _PASSES.format(wanted=wanted),
    )


async def matching(
    asking: Asking,
    user_id: str,
    filters: Filters,
    query: Query,
    configs: Sequence[str],
    depth: int,
    files: int,
    model_id: str = UNEMBEDDED,
) -> list[TextHit]:
    """The ``depth`` files that cover most of the query, of the user's ``files``; those with a literal term first.

    Their passages are those that ``model_id`` has vectors of, where a file has such. Of a tenant of many files only
    those are read that hold a good part of the query (:mod:`search.thresholds`).
    """
    terms = await sought(asking, query, configs)
    if not terms:
        return []
    looking = _Looking(asking, user_id, filters, terms, model_id)
    one_in = sample_for(files)
    if one_in is None:
        return await looking.find(looking.tsqueries, depth, _EVERY, {"files": files})
    seen = await sampling.sample(asking, user_id, filters, terms, one_in=one_in, files=files)
    weighing = Weighing(seen.weights(len(terms)), looking.literal)
    if seen.wanted < TIERS[0] and filtering.chooses(filters):
        few = await sampling.wanted(asking, user_id, filters, _MOST_NAMED)
        if len(few) < _MOST_NAMED:
            return await looking.find(looking.tsqueries, depth, _OF_FEW, {"among": few}, weighing)
    found: dict[str, TextHit] = {}
    for tier in tiers_to(depth):
        # Tier by tier, so that reading deeper only appends.
        hits = await looking.telling(tier, weighing, least_share(seen, weighing, tier))
        found |= {hit.upload_id: hit for hit in hits} | found
    return list(found.values())[:depth]


@dataclass(frozen=True)
class _Looking:
    """For the terms of one search."""

    asking: Asking
    user_id: str
    filters: Filters
    terms: Sequence[Sought]
    model_id: str

    @cached_property
    def literal(self) -> int:
        return sum(term.bit for term in self.terms if term.term.literal)

    @cached_property
    def quoted(self) -> int:
        return sum(term.bit for term in self.terms if term.quoted)

    @property
    def tsqueries(self) -> list[str]:
        return [term.tsquery for term in self.terms]

    async def telling(self, depth: int, weighing: Weighing, least: float) -> list[TextHit]:
        """The best by those of their passages that hold ``least`` of the query; by others as well if they are few."""
        found: list[TextHit] = []
        for share in dict.fromkeys((least, SUPPORTING_COVERAGE)):
            found = await self.find([holding(self.tsqueries, weighing, share)], depth, _TELLING, {}, weighing)
            if len(found) == depth:
                break
        return found

    async def find(
        self,
        queries: Sequence[str],
        depth: int,
        matching: str,
        own: Mapping[str, object],
        weighing: Weighing | None = None,
    ) -> list[TextHit]:
        """The best by the passages that meet one of ``queries`` and that ``matching`` reads with its ``own`` values."""
        values = filtering.parameters(self.user_id, self.filters) | mask_parameters(self.terms)
        values |= filtering.sought(queries)
        values |= {
            "any": " | ".join(self.tsqueries),
            "literal": self.literal,
            "least": SUPPORTING_COVERAGE,
            "depth": depth,
            "model_id": self.model_id,
        }
        values |= own
        if weighing is not None:
            values |= {f"w{i}": weight for i, weight in enumerate(weighing.weights)}
        wanted = filtering.wanted_files(self.filters)
        held = matching == _TELLING and filtering.chooses(self.filters)
        find = _find(len(self.terms), wanted, matching, weighed=weighing is not None, held=held)
        # Many files hold the same of the terms; what that says of them is worked out once.
        matched, found = cache(self._matched), cache(self._found)
        return [self._hit(row, matched, found) for row in await self.asking.execute(statement(find), values)]

    def _hit(
        self,
        row: Any,
        matched: Callable[[bool, int], frozenset[Why]],
        found: Callable[[int], frozenset[str]],
    ) -> TextHit:
        upload_id, coverage, mask, name_mask, text_mask, models, ordinals, masks, ranks = row
        literal = mask & self.literal != 0
        why = matched(name_mask != 0, text_mask)
        passages = partial(self._passages, models, ordinals, masks, ranks) if models else no_passages
        return TextHit(upload_id, min(coverage, 1.0), literal, why, passages, found(mask))

    def _passages(
        self, models: Sequence[str], ordinals: Sequence[int], masks: Sequence[int], ranks: Sequence[float]
    ) -> Sequence[PassageHit]:
        """The best of a file's: those with the most terms."""
        terms = len(self.terms)
        places = sorted(range(len(ordinals)), key=lambda i: (-masks[i].bit_count(), -ranks[i], ordinals[i]))
        return [
            PassageHit(
                PassageKey(models[i], ordinals[i]),
                masks[i].bit_count() / terms,
                masks[i] & self.quoted != 0,
                masks[i] & ~self.quoted != 0,
            )
            for i in places[:MOMENTS]
        ]

    def _matched(self, by_name: bool, text_mask: int) -> frozenset[Why]:
        reasons = ((by_name, Why.NAME), (text_mask & self.quoted, Why.QUOTED), (text_mask & ~self.quoted, Why.TEXT))
        return frozenset(why for applies, why in reasons if applies)

    def _found(self, mask: int) -> frozenset[str]:
        return frozenset(word for term in self.terms if mask & term.bit for word in term.term.words)
