"""Finds a user's files by the distance of their vectors, by whichever way the planner says is fastest.

Where filters hold files out, the first statement counts those they leave, and where few vectors are left it answers as
well. The exact scan reads every vector and misses none. The other ways answer with the nearest passages: where those
belong to too few files, or the graph missed some, more are asked for, and at the end of that ladder stands the exact
scan, so there are never fewer files than exist.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from heapq import nsmallest
from types import MappingProxyType
from typing import Any

from search.planner import Counts, Way, choose, files_read_exactly
from search.ranking import MOMENTS, TIERS, PassageHit, PassageKey, SemanticHit, tiers_to
from search.request import Filters
from search.store import filtering, graph
from search.store.statements import Asking, statement
from search.tables import VECTOR_TABLES

LADDER = (3, 9)
"""Passages of a walk for each file wanted, at first and if those were of too few files."""

_MORE_CODES = 3
"""So many times more of codes, which have been read anyway."""

EF_SEARCH = TIERS[0] * LADDER[0]
"""Width of the first walk through the graph; at 100 recall@20 is 0.999 among 50,000 vectors (docs/search-index.md)."""

LEAST_CODES = 400
"""Best codes whose vectors are compared exactly; of 300, one in 100 nearest files is lost (docs/search-index.md)."""

_MOST_EF_SEARCH = 1000

WALKING = MappingProxyType(
    {
        "hnsw.iterative_scan": "relaxed_order",
        "hnsw.max_scan_tuples": "20000",
        "hnsw.ef_search": str(EF_SEARCH),
        # Or a plan would rather sort a tenant's vectors than walk. What cannot do without sorting still sorts.
        "enable_sort": "off",
    }
)
"""Settings of every transaction that searches; a wider walk sets its own width."""

_WIDER = "SELECT set_config('hnsw.ef_search', :ef_search, true)"

_OWN = "v.user_id = :user_id AND v.model_id = :model_id"
_FRESH = " AND NOT v.in_graph"
# The vector is read from its text once; a generic plan would read it again for every row.
_DISTANCE = "v.embedding <=> (SELECT vector FROM asked)"

_OF_ALL = "{table} v WHERE {own}"
_OF_WANTED = "{table} v WHERE {own} AND v.upload_id = ANY(ARRAY(SELECT upload_id FROM wanted))"
# Not a join: a walk goes on until it has met enough vectors of wanted files.
_WANTED = " AND (v.upload_id IN (SELECT upload_id FROM wanted)) IS TRUE"

# OFFSET 0 parts the distance from what is done with it: it is computed once a row, and no plan takes an HNSW index.
_EXACT = "SELECT v.upload_id, v.ordinal, {distance} AS distance FROM {vectors} OFFSET 0"

_CODES = """SELECT * FROM (SELECT v.upload_id, v.ordinal, {distance} AS distance FROM (
    SELECT v.id FROM {vectors}
    ORDER BY v.code <~> (SELECT CAST(binary_quantize(vector) AS bit({dimensions})) FROM asked)
    LIMIT :codes OFFSET 0) c JOIN {table} v USING (id) OFFSET 0) best ORDER BY distance LIMIT :passages"""

_GRAPH = """SELECT v.upload_id, v.ordinal, {distance} AS distance FROM {table} v
    WHERE {own} AND {walked}{held} ORDER BY {distance} LIMIT :passages"""

_GRAPH_AND_FRESH = "SELECT * FROM (({graph}) UNION ALL ({fresh})) both_parts ORDER BY distance LIMIT :passages"

_WANTED_FILES = "wanted AS MATERIALIZED (SELECT f.upload_id FROM files f WHERE {conditions}),"
_LISTED_FILES = "wanted AS MATERIALIZED (SELECT unnest(CAST(:listed AS text[])) AS upload_id),"
_LEFT = "rest AS MATERIALIZED (SELECT count(*) AS files, count(*) <= CAST(:few AS bigint) AS few FROM wanted),"
_FEW_LEFT = " AND (SELECT few FROM rest)"

_OF_REST = """SELECT files, few,
    CASE WHEN NOT few AND files <= :most_listed THEN ARRAY(SELECT upload_id FROM wanted) END AS listed FROM rest"""
_OF_NEAR = "SELECT count(*) AS seen, max(distance) AS farthest FROM near"
_NOTHING = "SELECT"

# Arrays in no order: sorting them for every file takes longer than sorting those of one page afterwards. Whether a file
# is shown is looked up in the order of distance, until there are enough. There is always a first row.
_FILES = """WITH asked AS MATERIALIZED (SELECT CAST(CAST(:vector AS text) AS halfvec) AS vector),
    {before} near AS ({near}),
    file AS (SELECT * FROM (
        SELECT upload_id, min(distance) AS distance, array_agg(ordinal) AS ordinals, array_agg(distance) AS distances
        FROM near WHERE distance <= :farthest GROUP BY upload_id ORDER BY distance, upload_id OFFSET 0) n
        WHERE EXISTS (SELECT FROM files f WHERE f.upload_id = n.upload_id AND {shown} OFFSET 0) LIMIT :depth)
    SELECT told.*, n.upload_id, n.distance, n.ordinals, n.distances FROM ({told}) told LEFT JOIN file n ON true
    ORDER BY n.distance, n.upload_id"""


@dataclass(frozen=True)
class _Asked:
    """One question to the vectors of a user.

    ``wanted``: the files to look in, as a CTE; empty where all are wanted. ``fresh``: there are vectors outside the
    ``graph``. ``enough``: with so many files nothing more can come.
    """

    dimensions: int
    filters: Filters
    values: Mapping[str, Any]
    farthest: float
    depth: int
    enough: int
    wanted: str
    graph: int
    fresh: bool

    def near(self, way: Way, *, only: str = "", unless: str = "") -> str:
        """Every passage or the nearest by a way: ``only`` some of them, none at all ``unless`` a condition holds."""
        table = VECTOR_TABLES[self.dimensions]
        vectors = (_OF_WANTED if self.wanted else _OF_ALL).format(table=table, own=_OWN + only) + unless
        near = {Way.EXACT: _EXACT, Way.CODES: _CODES, Way.GRAPH: _GRAPH}[way].format(
            table=table,
            vectors=vectors,
            own=_OWN,
            distance=_DISTANCE,
            dimensions=self.dimensions,
            walked=graph.walked(self.graph),
            held=_WANTED if self.wanted else "",
        )
        if way is Way.GRAPH and self.fresh:
            near = _GRAPH_AND_FRESH.format(graph=near, fresh=self.near(Way.CODES, only=_FRESH))
        return near

    def files(self, near: str, told: str, before: str = "") -> str:
        """The files of ``near``, each row beside what else is ``told``."""
        shown = filtering.shown_files(self.filters)
        return _FILES.format(near=near, told=told, before=self.wanted + before, shown=shown)


async def nearest(
    asking: Asking,
    user_id: str,
    filters: Filters,
    counts: Counts,
    *,
    model_id: str,
    dimensions: int,
    vector: str,
    cut_off: float,
    depth: int,
    way: Way | None = None,
) -> list[SemanticHit]:
    """The ``depth`` files nearest to ``vector`` whose best passage's cosine reaches ``cut_off``, nearest first.

    ``counts``: what the user has of the model. ``way`` overrules the planner.
    """
    if counts.passages == 0:
        return []
    values = filtering.parameters(user_id, filters) | {"model_id": model_id, "vector": vector}
    enough = min(depth, counts.files)
    asked = _Asked(dimensions, filters, values, 1 - cut_off, depth, enough, "", counts.graph, counts.fresh > 0)
    if not filtering.chooses(filters):
        return await _found(asking, asked, way or choose(counts, None, dimensions).way)
    few = files_read_exactly(counts, dimensions)
    if way is not None:
        few = counts.files if way is Way.EXACT else -1
    asked = replace(asked, wanted=_WANTED_FILES.format(conditions=filtering.wanted_files(filters)))
    rows = await _opened(asking, asked, few)
    first = rows[0]
    if first.few or first.files == 0:
        return _hits(asked, rows)
    asked = replace(asked, enough=min(enough, first.files))
    if first.listed is not None:
        asked = replace(asked, wanted=_LISTED_FILES, values={**values, "listed": first.listed})
    return await _found(asking, asked, way or choose(counts, first.files, dimensions).way)


async def _opened(asking: Asking, asked: _Asked, few: int) -> Sequence[Any]:
    """How many files the filters leave, and where those are ``few`` the nearest of them."""
    files = asked.files(asked.near(Way.EXACT, unless=_FEW_LEFT), _OF_REST, _LEFT)
    return await _rows(asking, asked, files, few=few, most_listed=filtering.MOST_LISTED)


async def _found(asking: Asking, asked: _Asked, way: Way) -> list[SemanticHit]:
    if way is Way.EXACT:
        return await _exactly(asking, asked)
    found: dict[str, SemanticHit] = {}
    for tier in tiers_to(asked.depth):
        # Tier by tier, so that reading deeper only appends: more passages would bring others among the nearest.
        hits = await _climb(asking, replace(asked, depth=tier, enough=min(tier, asked.enough)), way)
        found |= {hit.upload_id: hit for hit in hits} | found
    return list(found.values())[: asked.depth]


async def _exactly(asking: Asking, asked: _Asked) -> list[SemanticHit]:
    return _hits(asked, await _rows(asking, asked, asked.files(asked.near(Way.EXACT), _NOTHING)))


async def _climb(asking: Asking, asked: _Asked, way: Way) -> list[SemanticHit]:
    for of_a_file in LADDER:
        passages = asked.depth * of_a_file * (1 if way is Way.GRAPH else _MORE_CODES)
        if way is Way.GRAPH and passages > EF_SEARCH:
            await asking.execute(statement(_WIDER), {"ef_search": str(min(passages, _MOST_EF_SEARCH))})
        files = asked.files(asked.near(way), _OF_NEAR)
        rows = await _rows(asking, asked, files, passages=passages, codes=max(LEAST_CODES, passages))
        if _complete(asked, way, rows, passages):
            return _hits(asked, rows)
        if rows[0].seen < passages:
            way = Way.CODES
    return await _exactly(asking, asked)


async def _rows(asking: Asking, asked: _Asked, sql: str, **more: int) -> Sequence[Any]:
    values = {**asked.values, "farthest": asked.farthest, "depth": asked.depth, **more}
    return (await asking.execute(statement(sql), values)).all()


def _complete(asked: _Asked, way: Way, rows: Sequence[Any], passages: int) -> bool:
    """True unless more passages would bring more files; the graph may see fewer than there are."""
    first = rows[0]
    if first.upload_id is not None and len(rows) >= asked.enough:
        return True
    if first.seen < passages:
        return way is not Way.GRAPH
    return first.farthest > asked.farthest


def _hits(asked: _Asked, rows: Sequence[Any]) -> list[SemanticHit]:
    model_id = str(asked.values["model_id"])
    # Taken apart by place: looking up columns by name takes longer than everything else done with so many rows.
    return [
        SemanticHit(upload_id, 1 - distance, partial(_passages, model_id, ordinals, distances))
        for *_, upload_id, distance, ordinals, distances in rows
        if upload_id is not None
    ]


def _passages(model_id: str, ordinals: Sequence[int], distances: Sequence[float]) -> Sequence[PassageHit]:
    """The best of a file's."""
    best = nsmallest(MOMENTS, zip(distances, ordinals, strict=True))
    return [PassageHit(PassageKey(model_id, ordinal), 1 - distance) for distance, ordinal in best]
