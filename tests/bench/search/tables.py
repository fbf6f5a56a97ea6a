"""The benchmark's parts, each a function from a filled database to lines of a table."""

import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import asyncpg
import numpy as np

from search.planner import Way
from tests.bench.search import endpoint, rivalry
from tests.bench.search.filling import MODEL
from tests.bench.search.measuring import TOP, Bench, Selection, Timing, keeping

SHARES = (1.0, 0.5, 0.1, 0.01)
GOOD_RECALL = 0.99


def say(line: str) -> None:
    """A line of the report, at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def shown(timing: Timing) -> str:
    """``p50/p95 (recall)``, and how many are missing."""
    missing = f" {timing.fewest_missing} MISSING" if timing.fewest_missing else ""
    return f"{timing.p50:7.2f}/{timing.p95:7.2f} ({timing.recall:.3f}{missing})"


async def recall(bench: Bench, users: Sequence[str]) -> bool:
    """Recall@20 against exact search for each tenant and filter; True when all are good."""
    good = True
    say(f"\nrecall@{TOP} in files, {bench.dimensions} dims, SQL ms p50/p95 (recall)")
    for user in users:
        for share in SHARES:
            timing = await bench.by_meaning(user, keeping(share))
            good &= timing.recall >= GOOD_RECALL and timing.fewest_missing == 0
            size = len(bench.stored.file_of[user])
            say(f"  {size:>7} segments, filter keeps {share:5.0%}: {shown(timing)}")
    say(f"  {'all' if good else 'NOT all'} at least {GOOD_RECALL}, none missing")
    return good


async def crossovers(bench: Bench, users: Sequence[str]) -> None:
    """Every way at every size: where the fastest of good recall changes is what ``search.planner`` holds."""
    say(f"\nways, {bench.dimensions} dims: SQL ms p50/p95 (recall@{TOP})")
    fastest: list[tuple[int, Way]] = []
    for user in users:
        size = len(bench.stored.file_of[user])
        found = {way: await bench.by_meaning(user, keeping(1.0), way) for way in Way if _possible(size, way)}
        say(f"  {size:>7}  " + "  ".join(f"{way} {shown(timing)}" for way, timing in found.items()))
        good = {way: timing.p50 for way, timing in found.items() if timing.recall >= GOOD_RECALL}
        fastest.append((size, min(good, key=lambda way: good[way])))
    for way, name in ((Way.EXACT, "exact_up_to"), (Way.CODES, "codes_up_to")):
        sizes = [size for size, best in fastest if best is way]
        beyond = [size for size, best in fastest if sizes and size > max(sizes)]
        if sizes and beyond:
            say(f"  {name}: between {max(sizes)} and {min(beyond)}, say {round((max(sizes) * min(beyond)) ** 0.5)}")


def _possible(size: int, way: Way) -> bool:
    # A tenant that is not in the graph would be answered by the fallback.
    return way is not Way.GRAPH or size >= 2000


async def sql(bench: Bench, admin_url: str, users: Sequence[str]) -> list[tuple[int, Timing]]:
    """By meaning with and without a filter, by words, and pgvector's own query beside them."""
    say(f"\nSQL ms p50/p95 (recall@{TOP}), {bench.dimensions} dims, one client")
    grown: list[tuple[int, Timing]] = []
    for user in users:
        size = len(bench.stored.file_of[user])
        plain, filtered = await bench.by_meaning(user, keeping(1.0)), await bench.by_meaning(user, keeping(0.1))
        words, _ = await bench.by_words(user, keeping(1.0))
        bare = await bare_pgvector(bench, admin_url, user, keeping(1.0))
        grown.append((size, plain))
        say(
            f"  {size:>7}  planned {shown(plain)}  filtered 10% {shown(filtered)}"
            f"  words {words.p50:6.2f}/{words.p95:6.2f}  hybrid {plain.p50 + words.p50:6.2f}  bare {shown(bare)}"
        )
    return grown


async def bare_pgvector(bench: Bench, admin_url: str, user: str, selection: Selection) -> Timing:
    """``ORDER BY embedding <=> … LIMIT`` as pgvector's manual has it: no row security, no files, its planner's plan."""
    table = f"vectors_{bench.dimensions}"
    statement = f"""SELECT upload_id FROM search.{table} WHERE user_id = $1 AND model_id = $2
        ORDER BY embedding <=> CAST(CAST($3 AS text) AS halfvec) LIMIT 100"""
    settings = {"hnsw.iterative_scan": "relaxed_order", "hnsw.ef_search": "100", "plan_cache_mode": "force_custom_plan"}
    connection = await asyncpg.connect(admin_url, server_settings={"search_path": "search,public", "jit": "off"})
    times: list[float] = []
    hit = sought = missing = 0
    try:
        for name, value in settings.items():
            await connection.execute(f"SET {name} = '{value}'")
        for question in (0, *range(len(bench.questions))):
            vector = json.dumps(bench.vectors[question].tolist())
            started = time.perf_counter()
            rows = await connection.fetch(statement, user, MODEL, vector)
            times.append((time.perf_counter() - started) * 1000)
            found = list(dict.fromkeys(row["upload_id"] for row in rows))[:TOP]
            truth = bench.nearest_files(user, selection, question)
            hit, sought = hit + len(set(found) & set(truth)), sought + len(truth)
            missing = max(missing, len(truth) - len(found))
    finally:
        await connection.close()
    return Timing(times[1:], hit / sought if sought else 1.0, missing)


async def requests(bench: Bench, users: Sequence[str], rounds: int) -> None:
    """The endpoint with one client and eight, hybrid and by meaning alone; its encoder answers from memory."""
    say(f"\nendpoint ms p50/p95, {bench.dimensions} dims, encoder apart; SQL of every statement of a request")
    for user in users:
        size = len(bench.stored.file_of[user])
        for mode in ("semantic", "hybrid"):
            alone = await endpoint.measured(bench, user, keeping(1.0), 1, rounds, mode)
            eight = await endpoint.measured(bench, user, keeping(1.0), 8, rounds, mode)
            mean = float(np.mean(alone.milliseconds))
            say(
                f"  {size:>7} {mode:8}  1 client {alone.percentile(50):6.2f}/{alone.percentile(95):6.2f}"
                f"  {alone.per_second:5.0f}/s  SQL {alone.sql_milliseconds:5.2f} in {alone.statements:.0f} statements,"
                f" the rest {mean - alone.sql_milliseconds:5.2f}"
                f"  8 clients {eight.percentile(50):6.2f}/{eight.percentile(95):6.2f}  {eight.per_second:5.0f}/s"
            )


async def rivals(bench: Bench, users: Sequence[str], home: Path) -> None:
    """The same vectors and questions in LanceDB and Chroma."""
    python = rivalry.interpreter()
    for engine in ("lancedb", "chroma"):
        with rivalry.running(engine, bench, python, home) as rival:
            say(f"\n{engine}, {bench.dimensions} dims, built in {rival.built_s:.0f} s: ms p50/p95 (recall@{TOP}), ours")
            for user in users:
                for share in (1.0, 0.1):
                    theirs = rival.timing(user, keeping(share))
                    ours = await bench.by_meaning(user, keeping(share))
                    size = len(bench.stored.file_of[user])
                    say(
                        f"  {size:>7} filter keeps {share:4.0%}: {shown(theirs)}  ours {shown(ours)}"
                        f"  {theirs.p50 / ours.p50:5.1f} times"
                    )
