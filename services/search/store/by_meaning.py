"""Finds a user's files by the distance of their vectors, by whichever way the planner says is fastest.

Each way answers with the nearest passages, best first. Where those belong to too few files, or the graph missed some,
more are asked for; at the end of that ladder stands the exact scan, so there are never fewer files than exist.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from search.planner import Choice, Way, choose
from search.ranking import MOMENTS, PassageHit, PassageKey, SemanticHit
from search.request import Filters
from search.store import filtering, graph
from search.store.statements import statement
from search.tables import VECTOR_TABLES

LADDER = (2, 8)
"""Passages of the graph looked at for each file wanted, at first and if those were of too few files."""

LEAST_EF_SEARCH = 100
"""Width of the walk through the graph: recall@20 of 0.999 among 50,000 vectors, 0.97 at 60 (docs/search-index.md)."""

LEAST_CODES = 400
"""Best codes whose vectors are compared exactly; of 300, one in 100 nearest files is lost (docs/search-index.md)."""

_CODES_A_PASSAGE = 3
_MOST_EF_SEARCH = 1000
_MOST_TUPLES = 20_000
_EVERYTHING = 2**31 - 1

_OWN = "v.user_id = :user_id AND v.model_id = :model_id"
# A generic plan would read the vector's text again for every row; a subquery is evaluated once.
_DISTANCE = "v.embedding <=> (SELECT CAST(:vector AS halfvec))"

# OFFSET 0 parts the distance from its order: it is computed once a row, and no plan takes the HNSW index for it.
_EXACT = """SELECT * FROM (SELECT v.upload_id, v.ordinal, {distance} AS distance FROM {table} v
    WHERE {own}{among} OFFSET 0) each_one ORDER BY distance LIMIT :passages"""

_CODES = """SELECT * FROM (SELECT v.upload_id, v.ordinal, {distance} AS distance FROM (
    SELECT v.id FROM {table} v WHERE {own}{among}
    ORDER BY v.code <~> (SELECT CAST(binary_quantize(CAST(:vector AS halfvec)) AS bit({dimensions})))
    LIMIT :codes OFFSET 0) c JOIN {table} v USING (id) OFFSET 0) best ORDER BY distance LIMIT :codes"""

_GRAPH = """SELECT v.upload_id, v.ordinal, {distance} AS distance FROM {table} v
    WHERE {own} AND v.in_graph{among} ORDER BY {distance} LIMIT :passages"""

_GRAPH_AND_FRESH = "SELECT * FROM (({graph}) UNION ALL ({fresh})) both_parts ORDER BY distance LIMIT :passages"

_FRESH = " AND NOT v.in_graph"
_LISTED = " AND v.upload_id = ANY(CAST(:listed AS text[]))"
_ASKED_AGAIN = " AND v.upload_id IN (SELECT f.upload_id FROM files f WHERE {wanted})"

# There is always a first row.
_FILES = """WITH near AS MATERIALIZED ({near}),
    file AS (SELECT upload_id, (array_agg(ordinal ORDER BY distance, ordinal))[1:{moments}] AS ordinals,
        (array_agg(distance ORDER BY distance, ordinal))[1:{moments}] AS distances, min(distance) AS distance
        FROM near WHERE distance <= :farthest GROUP BY upload_id)
    SELECT seen.passages, seen.farthest, n.upload_id, n.ordinals, n.distances, f.upload_id IS NOT NULL AS shown
    FROM (SELECT count(*) AS passages, max(distance) AS farthest FROM near) seen
    LEFT JOIN file n ON true LEFT JOIN files f ON f.upload_id = n.upload_id AND {shown}
    ORDER BY n.distance, n.upload_id"""

_WALK = """SELECT set_config('hnsw.ef_search', :ef, true), set_config('hnsw.max_scan_tuples', :tuples, true),
    set_config('enable_sort', 'off', true)"""

# How many files a filter leaves differs too much for one plan.
_PLAN_ANEW = "SELECT set_config('plan_cache_mode', 'force_custom_plan', true)"


@dataclass(frozen=True)
class _Asked:
    """One question to the vectors of a user."""

    dimensions: int
    filters: Filters
    values: Mapping[str, Any]
    farthest: float
    depth: int
    among: str

    @property
    def names(self) -> Mapping[str, str]:
        """What the statements' templates are filled with."""
        table = VECTOR_TABLES[self.dimensions]
        return {
            "table": table,
            "own": _OWN,
            "distance": _DISTANCE,
            "among": self.among,
            "dimensions": str(self.dimensions),
        }


async def nearest(
    session: AsyncSession,
    user_id: str,
    filters: Filters,
    *,
    model_id: str,
    dimensions: int,
    vector: str,
    cut_off: float,
    depth: int,
    way: Way | None = None,
) -> list[SemanticHit]:
    """The ``depth`` files nearest to ``vector`` whose best passage's cosine reaches ``cut_off``, nearest first.

    ``way`` overrules the planner.
    """
    values = filtering.parameters(user_id, filters) | {"model_id": model_id}
    counts = await graph.counts(session, user_id, model_id)
    wanted: filtering.WantedFiles | None = None
    if counts.passages and filtering.chooses(filters):
        wanted = await filtering.resolve(session, user_id, filters, values)
    if counts.passages == 0 or (wanted and wanted.count == 0):
        return []
    among = ""
    if wanted is not None:
        listed = wanted.upload_ids
        among = _LISTED if listed is not None else _ASKED_AGAIN.format(wanted=filtering.wanted_files(filters))
        values |= {"listed": list(listed or ())}
        if listed is None:
            await session.execute(statement(_PLAN_ANEW))
    choice = choose(counts, wanted.count if wanted else None, dimensions)
    asked = _Asked(dimensions, filters, values | {"vector": vector}, 1 - cut_off, depth, among)
    return await _climb(session, asked, Choice(way or choice.way, choice.rows_left), fresh=counts.fresh > 0)


async def _climb(session: AsyncSession, asked: _Asked, choice: Choice, *, fresh: bool) -> list[SemanticHit]:
    way = choice.way
    for passages_a_file in LADDER:
        if way is Way.EXACT:
            break
        passages = asked.depth * passages_a_file
        if way is Way.CODES:
            passages = max(LEAST_CODES, _CODES_A_PASSAGE * passages)
        rows = await _files(session, asked, way, passages, fresh=fresh)
        hits = _hits(asked, rows)
        reached_the_cut_off = rows[0].passages == passages and rows[0].farthest > asked.farthest
        if len(hits) >= asked.depth or reached_the_cut_off:
            return hits[: asked.depth]
        if rows[0].passages < passages:
            if way is Way.CODES:
                return hits
            way = Way.CODES
    return _hits(asked, await _files(session, asked, Way.EXACT, _EVERYTHING, fresh=fresh))[: asked.depth]


async def _files(session: AsyncSession, asked: _Asked, way: Way, passages: int, *, fresh: bool) -> Sequence[Any]:
    """The files of the ``passages`` nearest; the graph may see fewer than there are."""
    names = asked.names
    near = {Way.EXACT: _EXACT, Way.CODES: _CODES, Way.GRAPH: _GRAPH}[way].format(**names)
    values = {**asked.values, "passages": passages, "codes": passages, "farthest": asked.farthest}
    if way is Way.GRAPH:
        ef_search = min(max(LEAST_EF_SEARCH, passages), _MOST_EF_SEARCH)
        await session.execute(statement(_WALK), {"ef": str(ef_search), "tuples": str(_MOST_TUPLES)})
    if way is Way.GRAPH and fresh:
        values["codes"] = max(LEAST_CODES // 2, passages)
        unmerged = _CODES.format(**{**names, "among": asked.among + _FRESH})
        near = _GRAPH_AND_FRESH.format(graph=near, fresh=unmerged)
    shown = filtering.shown_files(asked.filters)
    found = statement(_FILES.format(near=near, shown=shown, moments=MOMENTS))
    return (await session.execute(found, values)).all()


def _hits(asked: _Asked, rows: Sequence[Any]) -> list[SemanticHit]:
    model_id = str(asked.values["model_id"])
    return [_hit(row.upload_id, model_id, zip(row.ordinals, row.distances, strict=True)) for row in rows if row.shown]


def _hit(upload_id: str, model_id: str, found: Iterable[tuple[int, float]]) -> SemanticHit:
    passages = tuple(PassageHit(PassageKey(model_id, ordinal), 1 - distance) for ordinal, distance in found)
    return SemanticHit(upload_id, passages[0].score, passages)
