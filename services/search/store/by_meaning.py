"""Finds a user's files by the distance of their vectors, exactly or through the HNSW index, whichever is faster.

Exact costs grow with the rows left after filters; the index costs about the same for any number but returns too few
rows for a small tenant (FACTS 7, 9). Whenever it falls short, the exact scan answers.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from search.ranking import MOMENTS, PassageHit, PassageKey, SemanticHit
from search.request import Filters
from search.store.retrieval import WANTED_FILES, parameters
from search.tables import VECTOR_TABLES

EXACT_UP_TO = 4000
"""Rows left at which HNSW overtakes an exact scan at 384 dimensions, heap in order of user (FACTS 9: 0.8-3.3 k)."""

_ROWS_LEFT = f"""SELECT COALESCE(sum(s.passage_count), 0) FROM passage_sets s JOIN files f USING (upload_id)
    WHERE s.user_id = :user_id AND s.model_id = :model_id AND {WANTED_FILES}"""  # noqa: S608 - constants only

# Nothing is ordered by the bare distance, so the planner cannot take the HNSW index for it.
_EXACT = """WITH near AS (
    SELECT v.upload_id, v.ordinal, v.embedding <=> CAST(:vector AS halfvec) AS distance
    FROM {table} v JOIN files f USING (upload_id)
    WHERE v.user_id = :user_id AND v.model_id = :model_id AND {wanted})
    SELECT upload_id, (array_agg(ordinal ORDER BY distance, ordinal))[1:{moments}] AS ordinals,
        (array_agg(distance ORDER BY distance, ordinal))[1:{moments}] AS distances
    FROM near WHERE distance <= :farthest GROUP BY upload_id ORDER BY min(distance), upload_id LIMIT :depth"""

_INDEXED = """SELECT v.upload_id, v.ordinal, v.embedding <=> CAST(:vector AS halfvec) AS distance
    FROM {table} v JOIN files f USING (upload_id)
    WHERE v.user_id = :user_id AND v.model_id = :model_id AND {wanted}
    ORDER BY v.embedding <=> CAST(:vector AS halfvec) LIMIT :candidates"""

_ITERATE = """SELECT set_config('hnsw.iterative_scan', 'relaxed_order', true),
    set_config('hnsw.ef_search', '400', true), set_config('hnsw.max_scan_tuples', '20000', true)"""

_PASSAGES_A_FILE = 5


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
    exact_up_to: int = EXACT_UP_TO,
) -> list[SemanticHit]:
    """The ``depth`` files nearest to ``vector`` whose best passage's cosine reaches ``cut_off``, nearest first."""
    values = parameters(user_id, filters) | {"model_id": model_id}
    rows_left = int((await session.execute(text(_ROWS_LEFT), values)).scalar_one())
    values |= {"vector": vector}
    if rows_left == 0:
        return []
    if rows_left > exact_up_to:
        hits = await _through_index(session, dimensions, values, 1 - cut_off, depth, rows_left)
        if hits is not None:
            return hits
    statement = _EXACT.format(table=VECTOR_TABLES[dimensions], wanted=WANTED_FILES, moments=MOMENTS)
    found = await session.execute(text(statement), values | {"farthest": 1 - cut_off, "depth": depth})
    return [_hit(row.upload_id, model_id, zip(row.ordinals, row.distances, strict=True)) for row in found]


async def _through_index(
    session: AsyncSession, dimensions: int, values: Mapping[str, Any], farthest: float, depth: int, rows_left: int
) -> list[SemanticHit] | None:
    candidates = depth * _PASSAGES_A_FILE
    await session.execute(text(_ITERATE))
    statement = _INDEXED.format(table=VECTOR_TABLES[dimensions], wanted=WANTED_FILES)
    rows = (await session.execute(text(statement), {**values, "candidates": candidates})).all()
    if len(rows) < min(candidates, rows_left):
        return None
    by_file: dict[str, list[tuple[int, float]]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: (row.distance, row.upload_id, row.ordinal)):
        if row.distance <= farthest:
            by_file[row.upload_id].append((row.ordinal, row.distance))
    reached_the_cut_off = len(rows) == rows_left or any(row.distance > farthest for row in rows)
    if len(by_file) < depth and not reached_the_cut_off:
        return None
    hits = [_hit(upload_id, str(values["model_id"]), found[:MOMENTS]) for upload_id, found in by_file.items()]
    return hits[:depth]


def _hit(upload_id: str, model_id: str, found: Iterable[tuple[int, float]]) -> SemanticHit:
    passages = tuple(PassageHit(PassageKey(model_id, ordinal), 1 - distance) for ordinal, distance in found)
    return SemanticHit(upload_id, passages[0].score, passages)
