"""The same rows asked without the service, for the floor below it: no row security, no files, no grouping by file."""

import re
import time
from collections.abc import Mapping, Sequence

import asyncpg

from database.binary_types import pass_as_bytes
from search.query import parse
from search.store.graph import GRAPHS
from search.tables import BINARY_TYPES
from tests.bench.search.filling import MODEL
from tests.bench.search.measuring import ROUNDS, TOP, Bench, Timing, keeping

PASSAGES = 100
MOST_EXACT = 20_000

_NEAREST = """SELECT upload_id FROM vectors_{n} WHERE user_id = $1 AND model_id = $2{graph}
    ORDER BY {distance} LIMIT {passages}"""
_MATCHING = """SELECT upload_id, ts_rank(words, CAST($2 AS tsquery)) AS rank FROM words
    WHERE tenant_words(words, user_id, upload_id) @@ CAST($1 AS tsquery) ORDER BY rank DESC LIMIT 50"""
_KEY = "SELECT tenant_key($1) || ':'"


async def by_meaning(bench: Bench, admin_url: str, user: str) -> Timing:
    """The fastest of good recall of an exact scan and a walk through the tenant's graph."""
    distance = "embedding <=> CAST($3 AS halfvec)"
    connection = await _connected(admin_url, {"hnsw.iterative_scan": "relaxed_order", "hnsw.ef_search": "100"})
    try:
        found: list[Timing] = []
        if len(bench.stored.file_of[user]) <= MOST_EXACT:
            exact = _NEAREST.format(n=bench.dimensions, graph="", distance=f"({distance}) + 0", passages=PASSAGES)
            found.append(await _timed(bench, connection, exact, user))
        if user in bench.stored.large:
            number = await connection.fetchval(f"SELECT hashtext($1) & {GRAPHS - 1}", user)
            graph = f" AND in_graph AND (hashtext(user_id) & {GRAPHS - 1}) = {number}"
            walk = _NEAREST.format(n=bench.dimensions, graph=graph, distance=distance, passages=PASSAGES)
            found.append(await _timed(bench, connection, walk, user))
        return min(found, key=lambda timing: (timing.recall < 0.99, timing.p50))
    finally:
        await connection.close()


async def by_words(bench: Bench, admin_url: str, user: str) -> Timing:
    """Any of a question's words, ranked by ``ts_rank``."""
    connection = await _connected(admin_url, {})
    times: list[float] = []
    try:
        key = await connection.fetchval(_KEY, user)
        for question in bench.questions * ROUNDS:
            words = " | ".join(f"'{word}'" for term in parse(question).terms for word in term.words)
            stems = await connection.fetchval("SELECT CAST(to_tsquery('english', $1) AS text)", words)
            sought = re.sub("'([^']+)'", rf"'{key}\1'", stems)
            started = time.perf_counter()
            await connection.fetch(_MATCHING, sought, stems)
            times.append((time.perf_counter() - started) * 1000)
    finally:
        await connection.close()
    return Timing(times[-len(bench.questions) :], 1.0, 0)


async def _connected(admin_url: str, settings: Mapping[str, str]) -> asyncpg.Connection:
    own = {"search_path": "search,public", "jit": "off", "plan_cache_mode": "force_custom_plan"}
    connection = await asyncpg.connect(admin_url, server_settings=own)
    await pass_as_bytes(connection, BINARY_TYPES)
    for name, value in settings.items():
        await connection.execute(f"SET {name} = '{value}'")
    return connection


async def _timed(bench: Bench, connection: asyncpg.Connection, statement: str, user: str) -> Timing:
    times: list[float] = []
    found: list[Sequence[str]] = []
    questions = range(len(bench.questions))
    for question in [*questions] * ROUNDS:
        started = time.perf_counter()
        rows = await connection.fetch(statement, user, MODEL, bench.packed[question])
        times.append((time.perf_counter() - started) * 1000)
        found.append(list(dict.fromkeys(row["upload_id"] for row in rows))[:TOP])
    truths = [bench.nearest_files(user, keeping(1.0), question) for question in questions]
    last = found[-len(questions) :]
    hit = sum(len(set(ids) & set(truth)) for ids, truth in zip(last, truths, strict=True))
    missing = max(len(truth) - len(ids) for ids, truth in zip(last, truths, strict=True))
    return Timing(times[-len(questions) :], hit / max(sum(map(len, truths)), 1), missing)
