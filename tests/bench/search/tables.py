"""The benchmark's parts, each a function from a filled database to lines of a table."""

import sys
from collections.abc import Sequence
from pathlib import Path

from search.planner import ScanMethod
from search.store import retrieval
from tests.bench.search import bare, endpoint, goals, rivalry
from tests.bench.search.filling import MODEL
from tests.bench.search.measuring import TOP, Bench, Timing, keeping

SHARES = (1.0, 0.5, 0.1, 0.01)
WALKED_SHARES = (0.7, 0.5, 0.35, 0.25, 0.15)
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
    fastest: list[tuple[int, ScanMethod]] = []
    without: dict[int, dict[ScanMethod, float]] = {}
    for user in users:
        size = len(bench.stored.file_of[user])
        found = {
            method: await bench.by_meaning(user, keeping(1.0), method, as_searched=True)
            for method in ScanMethod
            if _possible(size, method)
        }
        say(f"  {size:>7}  " + "  ".join(f"{method} {shown(timing)}" for method, timing in found.items()))
        good = {method: timing.p50 for method, timing in found.items() if timing.recall >= GOOD_RECALL}
        fastest.append((size, min(good, key=lambda method: good[method])))
        without[size] = {method: timing.p50 for method, timing in found.items() if method is not ScanMethod.GRAPH}
    _say_crossing("graph_from", [size for size, best in fastest if best is not ScanMethod.GRAPH], fastest)
    others = [(size, min(at, key=lambda method: at[method])) for size, at in without.items()]
    _say_crossing("exact_up_to", [size for size, best in others if best is ScanMethod.EXACT], others)
    await _walks(bench, [user for user in users if _possible(len(bench.stored.file_of[user]), ScanMethod.GRAPH)])


async def _walks(bench: Bench, users: Sequence[str]) -> None:
    """From which worth on a walk is the fastest way to what filters leave."""
    say(f"\nways to what filters leave, {bench.dimensions} dims: SQL ms p50/p95 (recall@{TOP})")
    fastest: list[tuple[int, ScanMethod]] = []
    for user in users:
        async with bench.transaction(user) as reading:
            counts = (await retrieval.index_state(reading, user, MODEL)).holdings.counts(MODEL, bench.dimensions)
        for share in WALKED_SHARES:
            found = {
                method: await bench.by_meaning(user, keeping(share), method, as_searched=True) for method in ScanMethod
            }
            worth = round(counts.graph_scan_value(share))
            ways = "  ".join(f"{method} {shown(timing)}" for method, timing in found.items())
            say(f"  {counts.passages:>7} keeps {share:4.0%} worth {worth:>6}  {ways}")
            good = {method: timing.p50 for method, timing in found.items() if timing.recall >= GOOD_RECALL}
            fastest.append((worth, min(good, key=lambda method: good[method])))
    _say_crossing("graph_scan_from", [worth for worth, best in fastest if best is not ScanMethod.GRAPH], fastest)


def _say_crossing(name: str, below: Sequence[int], fastest: Sequence[tuple[int, ScanMethod]]) -> None:
    beyond = [size for size, _ in fastest if below and size > max(below)]
    if beyond:
        say(f"  {name}: between {max(below)} and {min(beyond)}, say {round((max(below) * min(beyond)) ** 0.5)}")


def _possible(size: int, method: ScanMethod) -> bool:
    # A tenant that is not in the graph would be answered by the fallback.
    return method is not ScanMethod.GRAPH or size >= 2000


async def sql(bench: Bench, admin_url: str, users: Sequence[str]) -> list[tuple[int, Timing]]:
    """By meaning with and without a filter, by words, pgvector's own statement beside them, and the goals."""
    say(f"\nSQL ms p50/p95 (recall@{TOP}), {bench.dimensions} dims, one client")
    grown: list[tuple[int, Timing]] = []
    measured: list[goals.Measured] = []
    for user in users:
        size = len(bench.stored.file_of[user])
        plain, filtered = [await bench.by_meaning(user, keeping(share), as_searched=True) for share in (1.0, 0.1)]
        words, _ = await bench.by_words(user, keeping(1.0))
        nearest, matching = await bare.by_meaning(bench, admin_url, user), await bare.by_words(bench, admin_url, user)
        grown.append((size, plain))
        measured.append(goals.Measured(size, plain.p50, filtered.p50, words.p50, nearest.p50, matching.p50))
        say(
            f"  {size:>7}  planned {shown(plain)}  filtered 10% {shown(filtered)}"
            f"  words {words.p50:6.2f}/{words.p95:6.2f}  hybrid {plain.p50 + words.p50:6.2f}"
            f"  bare {shown(nearest)} words {matching.p50:6.2f}/{matching.p95:6.2f}"
        )
    if sum(tenant.passages for tenant in bench.stored.tenants) == goals.SEGMENTS:
        say(f"\ngoals at {goals.SEGMENTS} segments, {bench.dimensions} dims, SQL at p50")
        for line in goals.compared(bench.dimensions, measured):
            say(line)
    return grown


async def requests(bench: Bench, users: Sequence[str], rounds: int) -> None:
    """The endpoint with one client and eight, hybrid and by meaning alone; its encoder answers from memory."""
    say(f"\nendpoint ms p50/p95, {bench.dimensions} dims, encoder apart; SQL of every statement of a request")
    for user in users:
        size = len(bench.stored.file_of[user])
        for mode in ("semantic", "hybrid"):
            alone = await endpoint.measured(bench, user, keeping(1.0), 1, rounds, mode)
            eight = await endpoint.measured(bench, user, keeping(1.0), 8, rounds, mode)
            say(
                f"  {size:>7} {mode:8}  1 client {alone.percentile(50):6.2f}/{alone.percentile(95):6.2f}"
                f"  {alone.per_second:5.0f}/s"
                f"  SQL {alone.sql_percentile(50):5.2f} in {alone.statements:.0f} statements,"
                f" the rest {alone.overhead(50):5.2f}"
                f"  8 clients {eight.percentile(50):6.2f}/{eight.percentile(95):6.2f}  {eight.per_second:5.0f}/s"
                f"{goals.of_the_endpoint(alone.percentile(95), alone.overhead(50))}"
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
                    size, ahead = len(bench.stored.file_of[user]), theirs.p50 / ours.p50
                    missed = f" MISSED {goals.TIMES_AHEAD:.0f}" if share < 1 and ahead < goals.TIMES_AHEAD else ""
                    say(
                        f"  {size:>7} filter keeps {share:4.0%}: {shown(theirs)}  ours {shown(ours)}"
                        f"  {ahead:5.1f} times{missed}"
                    )
