"""Finds a user's files by the distance of their vectors, with the scan that the planner chooses.

With filters, the first statement counts the matching files and, if they are few, also returns the exact result.
Otherwise the planner picks codes or graph; if the passages these return belong to too few files, more are requested,
and finally the exact scan runs, so no match is ever missing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from heapq import nsmallest
from types import MappingProxyType
from typing import Any

from search.planner import Counts, ScanMethod, choose_scan, files_read_exactly
from search.ranking import CANDIDATES, TIERS, PassageHit, PassageKey, SemanticHit, tiers_to
from search.request import Filters
from search.store import filtering, graph
from search.store.statements import Transaction, statement
from search.tables import VECTOR_TABLES

LADDER = (3, 9)
"""Passages requested from the graph for each file wanted: at first, and again if they belong to too few files."""

_MORE_CODES = 3
"""Factor for codes: scanning them is already paid for, so three times as many passages are requested."""

EF_SEARCH = TIERS[0] * LADDER[0]
"""Width of the first walk through the graph; at 100 recall@20 is 0.999 among 50,000 vectors (docs/search-index.md)."""

LEAST_CODES = 400
"""Best codes whose vectors are compared exactly; of 300, one in 100 nearest files is lost (docs/search-index.md)."""

_MOST_EF_SEARCH = 1000

GRAPH_SETTINGS = MappingProxyType(
    {
        "hnsw.iterative_scan": "relaxed_order",
        "hnsw.max_scan_tuples": "20000",
        "hnsw.ef_search": str(EF_SEARCH),
        # Otherwise a plan may sort a tenant's vectors instead of walking. What has to be sorted still is.
        "enable_sort": "off",
    }
)
"""Settings of every search transaction; a wider walk sets its own ``hnsw.ef_search``."""

_WIDER = "SELECT set_config('hnsw.ef_search', :ef_search, true)"

_OWN = "v.user_id = :user_id AND v.model_id = :model_id"
_FRESH = " AND NOT v.in_graph"
_DISTANCE = "v.embedding <=> CAST(:vector AS halfvec)"

_OF_ALL = "{table} v WHERE {own}"
_OF_ALLOWED = "{table} v WHERE {own} AND v.upload_id = ANY(ARRAY(SELECT upload_id FROM allowed))"
# Not a join: the walk goes on until it has met enough vectors of these files.
_ALLOWED = " AND (v.upload_id IN (SELECT upload_id FROM allowed)) IS TRUE"

# OFFSET 0 keeps the subquery apart: the distance is computed once per row, and no plan uses an HNSW index.
_EXACT = "SELECT v.upload_id, v.ordinal, {distance} AS distance FROM {vectors} OFFSET 0"

# The query's code is a subquery: a generic plan would compute it again for every row.
_CODES = """SELECT * FROM (SELECT v.upload_id, v.ordinal, {distance} AS distance FROM (
    SELECT v.id FROM {vectors}
    ORDER BY v.code <~> (SELECT CAST(binary_quantize(CAST(:vector AS halfvec)) AS bit({dimensions})))
    LIMIT :codes OFFSET 0) c JOIN {table} v USING (id) OFFSET 0) best ORDER BY distance LIMIT :passages"""

_GRAPH = """SELECT v.upload_id, v.ordinal, {distance} AS distance FROM {table} v
    WHERE {own} AND {graph_predicate}{only_allowed} ORDER BY {distance} LIMIT :passages"""

_GRAPH_AND_FRESH = "SELECT * FROM (({graph}) UNION ALL ({fresh})) both_parts ORDER BY distance LIMIT :passages"

_ALLOWED_FILES = "allowed AS MATERIALIZED (SELECT f.upload_id FROM files f WHERE {conditions}),"
_LISTED_FILES = "allowed AS MATERIALIZED (SELECT unnest(CAST(:listed AS text[])) AS upload_id),"
_FILES_LEFT = """files_left AS MATERIALIZED (
    SELECT count(*) AS files, count(*) <= CAST(:few AS bigint) AS few FROM allowed),"""
_FEW_LEFT = " AND (SELECT few FROM files_left)"

_ABOUT_FILES_LEFT = """SELECT files, few,
    CASE WHEN NOT few AND files <= :most_listed THEN ARRAY(SELECT upload_id FROM allowed) END AS listed
    FROM files_left"""
_ABOUT_PASSAGES = "SELECT count(*) AS seen, max(distance) AS farthest FROM near"
_ABOUT_NOTHING = "SELECT"

# array_agg is unordered: only one page's arrays are needed sorted, and Python sorts those. Visibility is checked in the
# order of distance and stops at :depth. The left join guarantees a row even without hits.
_FILES = """WITH {before} near AS ({near}),
    file AS (SELECT * FROM (
        SELECT upload_id, min(distance) AS distance, array_agg(ordinal) AS ordinals, array_agg(distance) AS distances
        FROM near WHERE distance <= :farthest GROUP BY upload_id ORDER BY distance, upload_id OFFSET 0) n
        WHERE {visible} LIMIT :depth)
    SELECT about.*, n.upload_id, n.distance, n.ordinals, n.distances FROM ({about}) about LEFT JOIN file n ON true
    ORDER BY n.distance, n.upload_id"""


@dataclass(frozen=True)
class _VectorQuery:
    """One vector search of a user.

    ``farthest``: the largest distance of a hit. ``allowed``: the files to search as a CTE; empty for all files.
    ``fresh``: there are vectors outside the ``graph``. ``enough``: with that many files found no more can follow.
    """

    dimensions: int
    filters: Filters
    values: Mapping[str, Any]
    farthest: float
    depth: int
    enough: int
    allowed: str
    graph: int
    fresh: bool

    def scan(self, method: ScanMethod, *, only: str = "", guard: str = "") -> str:
        """Returns SQL for the passages of a scan; ``only`` restricts them, no rows if ``guard`` is false."""
        table = VECTOR_TABLES[self.dimensions]
        vectors = (_OF_ALLOWED if self.allowed else _OF_ALL).format(table=table, own=_OWN + only) + guard
        near = {ScanMethod.EXACT: _EXACT, ScanMethod.CODES: _CODES, ScanMethod.GRAPH: _GRAPH}[method].format(
            table=table,
            vectors=vectors,
            own=_OWN,
            distance=_DISTANCE,
            dimensions=self.dimensions,
            graph_predicate=graph.predicate(self.graph),
            only_allowed=_ALLOWED if self.allowed else "",
        )
        if method is ScanMethod.GRAPH and self.fresh:
            near = _GRAPH_AND_FRESH.format(graph=near, fresh=self.scan(ScanMethod.CODES, only=_FRESH))
        return near

    def files(self, near: str, about: str, before: str = "") -> str:
        """Returns SQL for the files of ``near``, with the columns of ``about``, one row, in each row."""
        visible = "TRUE" if self.allowed else filtering.not_hidden(self.filters, "n.upload_id")
        return _FILES.format(near=near, about=about, before=self.allowed + before, visible=visible)


async def nearest(
    transaction: Transaction,
    user_id: str,
    filters: Filters,
    counts: Counts,
    *,
    model_id: str,
    dimensions: int,
    vector: bytes,
    cutoff: float,
    depth: int,
    method: ScanMethod | None = None,
) -> list[SemanticHit]:
    """Returns the ``depth`` files nearest to ``vector`` whose best passage has a cosine of ``cutoff`` or more, nearest
    first. ``counts``: what the user has of the model. ``method`` overrides the planner.
    """
    if counts.passages == 0:
        return []
    values = filtering.parameters(user_id, filters) | {"model_id": model_id, "vector": vector}
    enough = min(depth, counts.files)
    query = _VectorQuery(dimensions, filters, values, 1 - cutoff, depth, enough, "", counts.graph, counts.fresh > 0)
    if not filtering.is_selective(filters):
        return await _scan_by_tier(transaction, query, method or choose_scan(counts, None, dimensions).method)
    few = files_read_exactly(counts, dimensions)
    if method is not None:
        few = counts.files if method is ScanMethod.EXACT else -1
    query = replace(query, allowed=_ALLOWED_FILES.format(conditions=filtering.filter_conditions(filters)))
    rows = await _count_and_scan(transaction, query, few)
    first = rows[0]
    if first.few or first.files == 0:
        return _hits(query, rows)
    query = replace(query, enough=min(enough, first.files))
    if first.listed is not None:
        query = replace(query, allowed=_LISTED_FILES, values={**values, "listed": first.listed})
    return await _scan_by_tier(transaction, query, method or choose_scan(counts, first.files, dimensions).method)


async def _count_and_scan(transaction: Transaction, query: _VectorQuery, few: int) -> Sequence[Any]:
    """Returns how many files the filters leave and, if they are at most ``few``, the nearest of them."""
    files = query.files(query.scan(ScanMethod.EXACT, guard=_FEW_LEFT), _ABOUT_FILES_LEFT, _FILES_LEFT)
    return await _rows(transaction, query, files, few=few, most_listed=filtering.MOST_LISTED)


async def _scan_by_tier(transaction: Transaction, query: _VectorQuery, method: ScanMethod) -> list[SemanticHit]:
    if method is ScanMethod.EXACT:
        return await _scan_exactly(transaction, query)
    found: dict[str, SemanticHit] = {}
    for tier in tiers_to(query.depth):
        # Tier by tier, so that reading deeper only appends: more passages may bring other files among the nearest.
        hits = await _scan_widening(transaction, replace(query, depth=tier, enough=min(tier, query.enough)), method)
        found |= {hit.upload_id: hit for hit in hits} | found
    return list(found.values())[: query.depth]


async def _scan_exactly(transaction: Transaction, query: _VectorQuery) -> list[SemanticHit]:
    return _hits(query, await _rows(transaction, query, query.files(query.scan(ScanMethod.EXACT), _ABOUT_NOTHING)))


async def _scan_widening(transaction: Transaction, query: _VectorQuery, method: ScanMethod) -> list[SemanticHit]:
    """Requests more passages until they belong to enough files; in the end scans exactly."""
    for of_a_file in LADDER:
        passages = query.depth * of_a_file * (1 if method is ScanMethod.GRAPH else _MORE_CODES)
        if method is ScanMethod.GRAPH and passages > EF_SEARCH:
            await transaction.execute(statement(_WIDER), {"ef_search": str(min(passages, _MOST_EF_SEARCH))})
        files = query.files(query.scan(method), _ABOUT_PASSAGES)
        rows = await _rows(transaction, query, files, passages=passages, codes=max(LEAST_CODES, passages))
        if _complete(query, method, rows, passages):
            return _hits(query, rows)
        if rows[0].seen < passages:
            method = ScanMethod.CODES
    return await _scan_exactly(transaction, query)


async def _rows(transaction: Transaction, query: _VectorQuery, sql: str, **more: int) -> Sequence[Any]:
    values = {**query.values, "farthest": query.farthest, "depth": query.depth, **more}
    return (await transaction.execute(statement(sql), values)).all()


def _complete(query: _VectorQuery, method: ScanMethod, rows: Sequence[Any], passages: int) -> bool:
    """False if more passages may bring more files; a graph scan may return fewer passages than there are."""
    first = rows[0]
    if first.upload_id is not None and len(rows) >= query.enough:
        return True
    if first.seen < passages:
        return method is not ScanMethod.GRAPH
    return first.farthest > query.farthest


def _hits(query: _VectorQuery, rows: Sequence[Any]) -> list[SemanticHit]:
    model_id = str(query.values["model_id"])
    # Unpacked by position: looking up columns by name takes longer than everything else done with so many rows.
    return [
        SemanticHit(upload_id, 1 - distance, partial(_passages, model_id, ordinals, distances))
        for *_, upload_id, distance, ordinals, distances in rows
        if upload_id is not None
    ]


def _passages(model_id: str, ordinals: Sequence[int], distances: Sequence[float]) -> Sequence[PassageHit]:
    """Returns the nearest passages of a file."""
    best = nsmallest(CANDIDATES, zip(distances, ordinals, strict=True))
    return [PassageHit(PassageKey(model_id, ordinal), 1 - distance) for distance, ordinal in best]
