"""Finds a user's files by the distance of their vectors, by whichever way the planner says is fastest.

The first statement counts, and where few vectors are left it answers as well: nearly every tenant needs no second one.
Each way answers with the nearest passages, best first. Where those belong to too few files, or the graph missed some,
more are asked for; at the end of that ladder stands the exact scan, so there are never fewer files than exist.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from search.planner import CROSSOVERS, Crossovers, Way, choose
from search.ranking import MOMENTS, TIERS, PassageHit, PassageKey, SemanticHit, tiers_to
from search.request import Filters
from search.store import filtering, graph
from search.store.statements import Asking, statement
from search.tables import VECTOR_TABLES

LADDER = (3, 9)
"""Passages of a walk for each file wanted, at first and if those were of too few files."""

_MORE_WHERE_READ = 3
"""So many times more of an exact scan or of codes, which have read them anyway."""

LEAST_EF_SEARCH = 100
"""Width of the walk through the graph: recall@20 of 0.999 among 50,000 vectors, 0.97 at 60 (docs/search-index.md)."""

LEAST_CODES = 400
"""Best codes whose vectors are compared exactly; of 300, one in 100 nearest files is lost (docs/search-index.md)."""

_MOST_EF_SEARCH = 1000
_MOST_TUPLES = 20_000
_EVERYTHING = 2**31 - 1
_NEVER = -1

_OWN = "v.user_id = :user_id AND v.model_id = :model_id"
_FRESH = " AND NOT v.in_graph"
# The vector is read from its text once; a generic plan would read it again for every row.
_DISTANCE = "v.embedding <=> (SELECT vector FROM asked)"

_OF_ALL = "{table} v WHERE {own}"
_OF_WANTED = "{table} v WHERE {own} AND v.upload_id = ANY(ARRAY(SELECT upload_id FROM wanted))"
# Not a join: a walk goes on until it has met enough vectors of wanted files.
_WANTED = " AND (v.upload_id IN (SELECT upload_id FROM wanted)) IS TRUE"

# OFFSET 0 parts the distance from its order: it is computed once a row, and no plan takes an HNSW index for it.
_EXACT = """SELECT * FROM (SELECT v.upload_id, v.ordinal, {distance} AS distance FROM {vectors} OFFSET 0) each_one
    ORDER BY distance LIMIT :passages"""

_CODES = """SELECT * FROM (SELECT v.upload_id, v.ordinal, {distance} AS distance FROM (
    SELECT v.id FROM {vectors}
    ORDER BY v.code <~> (SELECT CAST(binary_quantize(vector) AS bit({dimensions})) FROM asked)
    LIMIT :codes OFFSET 0) c JOIN {table} v USING (id) OFFSET 0) best ORDER BY distance LIMIT :passages"""

_GRAPH = """SELECT v.upload_id, v.ordinal, {distance} AS distance FROM {table} v
    WHERE {own} AND {walked}{held} ORDER BY {distance} LIMIT :passages"""

_GRAPH_AND_FRESH = "SELECT * FROM (({graph}) UNION ALL ({fresh})) both_parts ORDER BY distance LIMIT :passages"

_WANTED_FILES = "wanted AS MATERIALIZED (SELECT f.upload_id FROM files f WHERE {conditions}),"
_LISTED_FILES = "wanted AS MATERIALIZED (SELECT unnest(CAST(:listed AS text[])) AS upload_id),"

# Few are left where ``search.planner.choose`` takes the exact scan.
_COUNTED = """counted AS MATERIALIZED ({counted}),
    rest AS MATERIALIZED (SELECT vectors, files, vectors <= :exact_up_to
        AND vectors * vectors <= CAST(:graph_from AS bigint) * passages AS few
        FROM (SELECT {vectors} AS vectors, {files} AS files, passages FROM counted) each_one),"""
_VECTORS_LEFT = "passages * least((SELECT count(*) FROM wanted), files) / greatest(files, 1)"
_FEW_LEFT = " AND (SELECT few FROM rest)"
_COUNTS = """counted.*, rest.files AS wanted, rest.few AS answered, {listed} AS listed,
    CASE WHEN NOT rest.few THEN ({walk}) END,"""
_LIST = "CASE WHEN NOT rest.few AND rest.files <= :most_listed THEN ARRAY(SELECT upload_id FROM wanted) END"

# A plan made before would sort a tenant's vectors rather than walk. What is planned afterwards may sort again.
_WALK = """SELECT set_config('hnsw.ef_search', :ef, true) || set_config('hnsw.max_scan_tuples', :tuples, true)
    || set_config('enable_sort', 'off', true)"""
_SORTS_AGAIN = ", set_config('enable_sort', 'on', true)"

# There is always a first row.
_FILES = """WITH asked AS MATERIALIZED (SELECT CAST(CAST(:vector AS text) AS halfvec) AS vector),
    {before} near AS MATERIALIZED ({near}),
    file AS (SELECT upload_id, (array_agg(ordinal ORDER BY distance, ordinal))[1:{moments}] AS ordinals,
        (array_agg(distance ORDER BY distance, ordinal))[1:{moments}] AS distances, min(distance) AS distance
        FROM near WHERE distance <= :farthest GROUP BY upload_id)
    SELECT {counts} seen.passages AS seen, seen.farthest, n.upload_id, n.ordinals, n.distances,
        f.upload_id IS NOT NULL AS shown
    FROM {counted} (SELECT count(*) AS passages, max(distance) AS farthest{also} FROM near) seen
    LEFT JOIN file n ON true LEFT JOIN files f ON f.upload_id = n.upload_id AND {shown}
    ORDER BY n.distance, n.upload_id"""


@dataclass(frozen=True)
class _Asked:
    """One question to the vectors of a user.

    ``wanted``: the files to look in, as a CTE; empty where all are wanted. ``walked``: the condition that names the
    graph. ``fresh``: there are vectors outside it. ``enough``: with so many files nothing more can come.
    """

    dimensions: int
    filters: Filters
    values: Mapping[str, Any]
    farthest: float
    depth: int
    wanted: str
    enough: int = 0
    walked: str = ""
    fresh: bool = False

    def near(self, way: Way, *, only: str = "", unless: str = "") -> str:
        """The nearest passages by a way: ``only`` some of the vectors, none at all ``unless`` a condition holds."""
        table = VECTOR_TABLES[self.dimensions]
        vectors = (_OF_WANTED if self.wanted else _OF_ALL).format(table=table, own=_OWN + only) + unless
        near = {Way.EXACT: _EXACT, Way.CODES: _CODES, Way.GRAPH: _GRAPH}[way].format(
            table=table,
            vectors=vectors,
            own=_OWN,
            distance=_DISTANCE,
            dimensions=self.dimensions,
            walked=self.walked,
            held=_WANTED if self.wanted else "",
        )
        if way is Way.GRAPH and self.fresh:
            near = _GRAPH_AND_FRESH.format(graph=near, fresh=self.near(Way.CODES, only=_FRESH))
        return near

    def files(self, near: str, *, before: str = "", counts: str = "", counted: str = "", also: str = "") -> str:
        """The files of the nearest passages."""
        shown = filtering.shown_files(self.filters)
        return _FILES.format(
            near=near,
            before=self.wanted + before,
            counts=counts,
            counted=counted,
            also=also,
            shown=shown,
            moments=MOMENTS,
        )

    def passages(self, way: Way, of_a_file: int) -> int:
        """How many to look at."""
        return self.depth * of_a_file * (1 if way is Way.GRAPH else _MORE_WHERE_READ)


async def nearest(
    asking: Asking,
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
    conditions = filtering.wanted_files(filters)
    wanted = _WANTED_FILES.format(conditions=conditions) if filtering.chooses(filters) else ""
    farthest = 1 - cut_off
    values = filtering.parameters(user_id, filters)
    values |= {"model_id": model_id, "vector": vector, "farthest": farthest}
    asked = _Asked(dimensions, filters, values, farthest, depth, wanted)
    exact_up_to = _EVERYTHING if way is Way.EXACT else _NEVER
    rows = await _opened(asking, asked, CROSSOVERS[dimensions] if way is None else Crossovers(_EVERYTHING, exact_up_to))
    first = rows[0]
    there_are = first.files if first.wanted is None else min(first.wanted, first.files)
    asked = replace(asked, enough=min(depth, there_are))
    if first.answered:
        if _complete(asked, Way.EXACT, rows, asked.passages(Way.EXACT, LADDER[0])):
            return _hits(asked, rows)
        return await _climb(asking, asked, Way.EXACT, LADDER[1:])
    counts = graph.counts_of(first)
    if counts.passages == 0 or first.wanted == 0:
        return []
    if first.listed is not None:
        asked = replace(asked, wanted=_LISTED_FILES, values={**values, "listed": first.listed})
    chosen = way or choose(counts, first.wanted, dimensions).way
    asked = replace(asked, walked=graph.walked(first.graph), fresh=counts.fresh > 0)
    found: dict[str, SemanticHit] = {}
    for tier in (depth,) if chosen is Way.EXACT else tiers_to(depth):
        # Tier by tier, so that reading deeper only appends: more passages would bring others among the nearest.
        hits = await _climb(asking, replace(asked, depth=tier, enough=min(tier, there_are)), chosen, LADDER)
        found |= {hit.upload_id: hit for hit in hits} | found
    return list(found.values())[:depth]


async def _opened(asking: Asking, asked: _Asked, crossovers: Crossovers) -> Sequence[Any]:
    """The counts, and the files where few vectors are left; where more are, the way for a walk is paved."""
    counted = graph.COUNTED.format(table=VECTOR_TABLES[asked.dimensions])
    if asked.wanted:
        rest = _COUNTED.format(counted=counted, vectors=_VECTORS_LEFT, files="(SELECT count(*) FROM wanted)")
    else:
        rest = _COUNTED.format(counted=counted, vectors="passages", files="CAST(NULL AS bigint)")
    counts = _COUNTS.format(listed=_LIST if asked.wanted else "CAST(NULL AS text[])", walk=_WALK)
    near = asked.near(Way.EXACT, unless=_FEW_LEFT)
    found = asked.files(near, before=rest, counts=counts, counted="counted CROSS JOIN rest CROSS JOIN")
    limits = {
        "exact_up_to": crossovers.exact_up_to,
        "graph_from": crossovers.graph_from,
        "most_listed": filtering.MOST_LISTED,
        "passages": asked.passages(Way.EXACT, LADDER[0]),
    }
    width = _width(replace(asked, depth=min(asked.depth, TIERS[0])), LADDER[0])
    return (await asking.execute(statement(found), {**asked.values, **limits, **width})).all()


async def _climb(asking: Asking, asked: _Asked, way: Way, ladder: Sequence[int]) -> list[SemanticHit]:
    for of_a_file in ladder:
        passages = asked.passages(way, of_a_file)
        if way is Way.GRAPH and (of_a_file > LADDER[0] or asked.depth > TIERS[0]):
            await asking.execute(statement(_WALK), _width(asked, of_a_file))
        rows = await _files(asking, asked, way, passages)
        if _complete(asked, way, rows, passages):
            return _hits(asked, rows)
        if rows[0].seen < passages:
            way = Way.CODES
    return _hits(asked, await _files(asking, asked, Way.EXACT, _EVERYTHING))


async def _files(asking: Asking, asked: _Asked, way: Way, passages: int) -> Sequence[Any]:
    """The files of the ``passages`` nearest; the graph may see fewer than there are."""
    values = {**asked.values, "passages": passages, "codes": max(LEAST_CODES, passages)}
    return (await asking.execute(statement(asked.files(asked.near(way), also=_SORTS_AGAIN)), values)).all()


def _complete(asked: _Asked, way: Way, rows: Sequence[Any], passages: int) -> bool:
    """True unless more passages would bring more files."""
    if sum([row[-1] for row in rows]) >= asked.enough:
        return True
    if rows[0].seen < passages:
        return way is not Way.GRAPH
    return rows[0].farthest > asked.farthest


def _width(asked: _Asked, of_a_file: int) -> Mapping[str, str]:
    ef_search = min(max(LEAST_EF_SEARCH, asked.passages(Way.GRAPH, of_a_file)), _MOST_EF_SEARCH)
    return {"ef": str(ef_search), "tuples": str(_MOST_TUPLES)}


def _hits(asked: _Asked, rows: Sequence[Any]) -> list[SemanticHit]:
    model_id = str(asked.values["model_id"])
    # Taken apart by place: looking up columns by name takes longer than everything else done with so many rows.
    found: list[SemanticHit] = []
    for *_, upload_id, ordinals, distances, shown in rows:
        if shown and len(found) < asked.depth:
            passages = partial(_passages, model_id, ordinals, distances)
            found.append(SemanticHit(upload_id, 1 - distances[0], passages))
    return found


def _passages(model_id: str, ordinals: Sequence[int], distances: Sequence[float]) -> Sequence[PassageHit]:
    found = zip(ordinals, distances, strict=True)
    return [PassageHit(PassageKey(model_id, ordinal), 1 - distance) for ordinal, distance in found]
