"""Finds a user's files by the words of their names, summaries and passages.

Not all words of a query must occur: a file's score is the share of the query it covers, and a word weighs more the
fewer of the user's files hold it. Half of the score is the coverage of the whole file, half that of its best passage,
or long files would win by chance. A literal term (code, file name, quoted phrase) is enough by itself.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache, partial
from typing import Any

from search.query import Query
from search.ranking import (
    CANDIDATES,
    SUPPORTING_COVERAGE,
    TIERS,
    MatchReason,
    PassageHit,
    PassageKey,
    TextHit,
    no_passages,
    tiers_to,
)
from search.request import Filters
from search.store import filtering, sampling
from search.store.statements import Transaction, statement
from search.store.term_queries import (
    BEST_MASK,
    TermQuery,
    language_of_file,
    language_parameters,
    mask,
    mask_parameters,
    term_queries,
)
from search.thresholds import TermWeights, least_share, sample_for, threshold_query

_NAME = -1
"""``words`` holds a file's name at this ordinal, at -2 what the analysis says of it, and from 0 on its passages."""

_ROW = "w.upload_id, w.model_id, w.ordinal, {mask} AS mask, {rank} AS rank"
_FORMS = "ts_rank(w.words, CAST(:any AS tsquery))"
# Stems of all the user's languages match names and, in longer queries, texts: there the other words tell enough, and to
# ask each row for its language, or for a second rank, takes as long as finding it. In short ones only stems of the
# file's language do, and of equals those come first that hold the words themselves.
_WORDS_FIRST = f"{_FORMS} + 10 * ts_rank(w.words, CAST(:typed AS tsquery))"
_SHORT = 3
"""Terms of a short query."""

# While passages of two models lie side by side, those of the answering one count, and another's only in files of which
# it has none or older ones. CASE keeps Postgres from choosing a nested loop: it underestimates the rows.
_FIND = """WITH {set_word_scope}, {matching},
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

# Row security returns only the rows of `words` that match app.sought, by its index.
_ALL_PASSAGES = """matching AS MATERIALIZED (
    SELECT {row} FROM words w {language} WHERE w.user_id = :user_id AND {after_word_scope})"""
_OF_FEW = """matching AS MATERIALIZED (SELECT {row} FROM words w {language}
    WHERE w.user_id = :user_id AND {after_word_scope}
    AND (w.upload_id IN (SELECT unnest(CAST(:among AS text[])))) IS TRUE)"""
# Only passages above the threshold, but name and summary of their files however little of the query they hold.
_ABOVE_THRESHOLD = """above_threshold AS MATERIALIZED (
    SELECT {row} FROM words w {language} WHERE w.user_id = :user_id AND {after_word_scope}{prefiltered}),
matching AS MATERIALIZED (
    SELECT * FROM above_threshold WHERE ordinal >= 0 UNION ALL
    SELECT {row} FROM (SELECT f.upload_id, '' AS model_id, part.ordinal, part.words
        FROM (SELECT * FROM files WHERE user_id = :user_id AND upload_id IN (SELECT upload_id FROM above_threshold)
            AND (name_words @@ CAST(:any AS tsquery) OR about_words @@ CAST(:any AS tsquery)) OFFSET 0) f,
        LATERAL (VALUES (-1, f.name_words), (-2, f.about_words)) AS part (ordinal, words)) w {language})"""

# Looking up a file is cheaper than reading a passage of it. IS TRUE: the files are hashed once.
_PREFILTERED = " AND (w.upload_id IN (SELECT upload_id FROM prefiltered)) IS TRUE"

_PASSES = "EXISTS (SELECT FROM files f WHERE f.upload_id = s.upload_id AND {conditions} OFFSET 0)"

_WEIGHT = """ln(1 + greatest(CAST(:files AS bigint), count(*))
    / CAST(greatest(count(*) FILTER (WHERE mask & {bit} <> 0), 1) AS float8)) AS w{i}"""
_WEIGHT_GIVEN = "CAST(:w{i} AS float8) AS w{i}"

_MOST_NAMED = 500
"""Filtered files up to which all of their passages are read, by primary key."""


@lru_cache(maxsize=256)
def _find(terms: int, matching: str, *, prefilter: str, passes: str, weighed: bool, of_language: bool) -> str:
    """Returns the statement for a number of terms, with weights as parameters (``weighed``) or computed by itself.

    ``prefilter``: conditions on ``files f`` that are applied before passages are read; ``passes``: one on the files
    found, ``s``. ``of_language``: texts are asked for stems of their own language.
    """
    shares = " + ".join(f"(CASE WHEN g.{{mask}} & {1 << i} <> 0 THEN w{i} ELSE 0 END)" for i in range(terms))
    weights = ", ".join((_WEIGHT_GIVEN if weighed else _WEIGHT).format(i=i, bit=1 << i) for i in range(terms))
    return _FIND.format(
        set_word_scope=filtering.PREFILTER.format(conditions=prefilter) if prefilter else filtering.SET_WORD_SCOPE,
        matching=matching.format(
            row=_ROW.format(
                mask=mask(terms, of_language=of_language), rank=_WORDS_FIRST if terms <= _SHORT else _FORMS
            ),
            language=language_of_file(terms) if of_language else "",
            after_word_scope=filtering.AFTER_WORD_SCOPE,
            prefiltered=_PREFILTERED if prefilter else "",
        ),
        best_mask=BEST_MASK.format(of="FILTER (WHERE ordinal >= 0)"),
        weights=weights if weighed else f"{weights} FROM found",
        share=f"({shares.format(mask='mask')})",
        share_together=f"({shares.format(mask='together')})",
        total=" + ".join(f"w{i}" for i in range(terms)),
        name=_NAME,
        passes=passes,
    )


async def matching(
    transaction: Transaction,
    user_id: str,
    filters: Filters,
    query: Query,
    configs: Sequence[str],
    depth: int,
    files: int,
    model_id: str,
) -> list[TextHit]:
    """Returns the ``depth`` files that cover most of the query, those with a literal term first.

    ``files``: how many the user has. Passages are those of ``model_id``, if the file has any. Of a tenant with many
    files only passages that hold a good part of the query are read (:mod:`search.thresholds`).
    """
    terms = await term_queries(transaction, query, configs)
    if not terms:
        return []
    search = _WordSearch(transaction, user_id, filters, terms, model_id)
    one_in = sample_for(files)
    if one_in is None:
        return await search.find(search.tsqueries, depth, _ALL_PASSAGES, {"files": files})
    sample = await sampling.sample(transaction, user_id, filters, terms, one_in=one_in, files=files)
    term_weights = TermWeights(sample.weights(len(terms)), search.literal)
    if sample.passing < TIERS[0] and filtering.is_selective(filters):
        few = await sampling.filtered_files(transaction, user_id, filters, _MOST_NAMED)
        if len(few) < _MOST_NAMED:
            return await search.find(search.tsqueries, depth, _OF_FEW, {"among": few}, term_weights)
    found: dict[str, TextHit] = {}
    for tier in tiers_to(depth):
        # Tier by tier, so that reading deeper only appends.
        hits = await search.above_threshold(tier, term_weights, least_share(sample, term_weights, tier))
        found |= {hit.upload_id: hit for hit in hits} | found
    return list(found.values())[:depth]


@dataclass(frozen=True)
class _WordSearch:
    """One word search: its terms, filters and transaction."""

    transaction: Transaction
    user_id: str
    filters: Filters
    terms: Sequence[TermQuery]
    model_id: str

    @cached_property
    def literal(self) -> int:
        return sum(term.bit for term in self.terms if term.term.literal)

    @cached_property
    def quoted(self) -> int:
        return sum(term.bit for term in self.terms if term.quoted)

    @property
    def of_language(self) -> bool:
        """True if texts are asked for stems of their own language alone, of which there is more than one."""
        return len(self.terms) <= _SHORT and len(self.terms[0].by_config) > 1

    @property
    def tsqueries(self) -> list[str]:
        return [term.tsquery for term in self.terms]

    async def above_threshold(self, depth: int, term_weights: TermWeights, least: float) -> list[TextHit]:
        """Returns the best files by passages that hold ``least`` of the query; if too few, by all supporting ones."""
        found: list[TextHit] = []
        for share in dict.fromkeys((least, SUPPORTING_COVERAGE)):
            found = await self.find(
                [threshold_query(self.tsqueries, term_weights, share)], depth, _ABOVE_THRESHOLD, {}, term_weights
            )
            if len(found) == depth:
                break
        return found

    async def find(
        self,
        queries: Sequence[str],
        depth: int,
        matching: str,
        own: Mapping[str, object],
        term_weights: TermWeights | None = None,
    ) -> list[TextHit]:
        """Returns the best files by the passages that match one of ``queries``; ``matching`` is the CTE that reads
        them, ``own`` its values.
        """
        values = filtering.parameters(self.user_id, self.filters) | mask_parameters(self.terms)
        values |= filtering.word_scope_parameters(queries)
        values |= {
            "any": " | ".join(self.tsqueries),
            "typed": " | ".join(term.term.tsquery for term in self.terms),
            "literal": self.literal,
            "least": SUPPORTING_COVERAGE,
            "depth": depth,
            "model_id": self.model_id,
        }
        values |= own
        if self.of_language:
            values |= language_parameters(self.terms)
        if term_weights is not None:
            values |= {f"w{i}": weight for i, weight in enumerate(term_weights.weights)}
        prefilter, passes = self._conditions(matching)
        weighed = term_weights is not None
        find = _find(
            len(self.terms), matching, prefilter=prefilter, passes=passes, weighed=weighed, of_language=self.of_language
        )
        # Many files have the same masks; what follows from a mask is computed once.
        matched, found = cache(self._matched), cache(self._found)
        return [self._hit(row, matched, found) for row in await self.transaction.execute(statement(find), values)]

    def _conditions(self, matching: str) -> tuple[str, str]:
        """Returns the conditions to apply before passages are read and those on the files found."""
        if not filtering.is_selective(self.filters):
            return "", filtering.not_hidden(self.filters, "s.upload_id")
        conditions = filtering.filter_conditions(self.filters)
        return (conditions, "TRUE") if matching == _ABOVE_THRESHOLD else ("", _PASSES.format(conditions=conditions))

    def _hit(
        self,
        row: Any,
        matched: Callable[[bool, int], frozenset[MatchReason]],
        found: Callable[[int], frozenset[str]],
    ) -> TextHit:
        upload_id, coverage, mask, name_mask, text_mask, models, ordinals, masks, ranks = row
        literal = mask & self.literal != 0
        reasons = matched(name_mask != 0, text_mask)
        passages = partial(self._passages, models, ordinals, masks, ranks) if models else no_passages
        return TextHit(upload_id, min(coverage, 1.0), literal, reasons, passages, found(mask))

    def _passages(
        self, models: Sequence[str], ordinals: Sequence[int], masks: Sequence[int], ranks: Sequence[float]
    ) -> Sequence[PassageHit]:
        """Returns the best passages of a file: those with the most terms."""
        terms = len(self.terms)
        places = sorted(range(len(ordinals)), key=lambda i: (-masks[i].bit_count(), -ranks[i], ordinals[i]))
        return [
            PassageHit(
                PassageKey(models[i], ordinals[i]),
                masks[i].bit_count() / terms,
                masks[i] & self.quoted != 0,
                masks[i] & ~self.quoted != 0,
            )
            for i in places[:CANDIDATES]
        ]

    def _matched(self, by_name: bool, text_mask: int) -> frozenset[MatchReason]:
        reasons = (
            (by_name, MatchReason.NAME),
            (text_mask & self.quoted, MatchReason.QUOTED),
            (text_mask & ~self.quoted, MatchReason.TEXT),
        )
        return frozenset(reason for applies, reason in reasons if applies)

    def _found(self, mask: int) -> frozenset[str]:
        return frozenset(word for term in self.terms if mask & term.bit for word in term.term.words)
