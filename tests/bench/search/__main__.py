"""``make bench-search``: recall, milliseconds and queries a second of search beside bare pgvector, LanceDB and Chroma.

python -m tests.bench.search [all|crossovers|recall|speed|writing] [--quick] [--segments N …] [--dims 384 1536]
    [--data-dir DIR] [--without-rivals]

``--data-dir`` keeps the filled databases there for the next run. Rivals and writing are measured at the smallest number
of segments: LanceDB and Chroma take longer to build than everything else together.
"""

import argparse
import logging
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog
import uvloop

from database.engine import Database
from search.tables import BINARY_TYPES, SCHEMA
from tests.bench.search import plot, server, tables, writing
from tests.bench.search.corpus import sentences
from tests.bench.search.filling import tenants_of
from tests.bench.search.keeping import filled
from tests.bench.search.measuring import Bench, Timing

SIZES = (10, 100, 1000, 10_000, 50_000)
LARGEST = 100_000
CROSSING = (500, 1000, 1500, 2000, 3000, 4000, 6000, 8000, 12_000, 20_000)
QUESTIONS = 48


@dataclass(frozen=True)
class Run:
    """What the command line asked for."""

    what: str
    segments: Sequence[int]
    dimensions: Sequence[int]
    work: Path
    keep: bool
    with_rivals: bool
    quick: bool

    def sizes(self, total: int) -> tuple[int, ...]:
        """Tenants of these sizes, the rest are small."""
        if self.quick:
            return (10, 100, 1000)
        if self.what == "crossovers":
            return CROSSING
        return (*SIZES, LARGEST) if total >= 2 * LARGEST else SIZES


async def measure(run: Run, home: server.Server) -> bool:
    """Everything asked for, a database after the other; True when every recall was good."""
    source = await sentences(run.work)
    good, curves = True, dict[str, Sequence[tuple[int, Timing]]]()
    for dimensions in run.dimensions:
        for total in run.segments:
            crossing = run.what == "crossovers"
            name = f"bench_{'crossing_' * crossing}{dimensions}_{total}"
            admin_url = home.admin_url(name)
            graph_from = CROSSING[3] - 1 if crossing else None
            tenants = tenants_of(total, run.sizes(total))
            stored = await filled(home, run.work, name, source, tenants, dimensions, graph_from)
            parts = ", ".join(f"{part} {seconds:.1f} s" for part, seconds in stored.timings.items())
            tables.say(f"\n{total} segments, {dimensions} dims, {len(stored.files)} files; bulk loading: {parts}")
            users = [tenant.user_id for tenant in stored.tenants[: len(run.sizes(total))]]
            async with Database(home.service_url(name), SCHEMA, binary_types=BINARY_TYPES) as database:
                bench = Bench(database, stored, source, dimensions, 8 if run.quick else QUESTIONS)
                if run.what == "crossovers":
                    await tables.crossovers(bench, users)
                if run.what in ("all", "recall"):
                    good &= await tables.recall(bench, users)
                if run.what in ("all", "speed"):
                    curves[f"{dimensions} dims, {total} segments"] = await tables.sql(bench, admin_url, users)
                    await tables.requests(bench, users, 1 if run.quick else 4)
                    if run.with_rivals and total == min(run.segments):
                        await tables.rivals(bench, users, run.work)
                if run.what == "writing" or (run.what == "all" and total == min(run.segments)):
                    await writing.measured(database, admin_url, source, dimensions, 500 if run.quick else 5000)
            if not run.keep:
                await home.drop(name)
    if curves:
        picture = run.work / "search-by-size.png"
        plot.draw(curves, picture)
        tables.say(f"\n{picture}")
    return good


def main() -> int:
    """0 unless a recall fell short."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.search")
    parser.add_argument("what", nargs="?", default="all", choices=["all", "crossovers", "recall", "speed", "writing"])
    parser.add_argument("--quick", action="store_true", help="a smoke run of 3,000 segments")
    parser.add_argument("--segments", type=int, nargs="+")
    parser.add_argument("--dims", type=int, nargs="+", default=[384, 1536], choices=[384, 1536])
    parser.add_argument("--data-dir", type=Path)
    parser.add_argument("--without-rivals", action="store_true")
    told = parser.parse_args()
    usual = [3000] if told.quick else [sum(CROSSING)] if told.what == "crossovers" else [100_000, 300_000]
    work, keep = told.data_dir or server.ROOT / ".bench/search", told.data_dir is not None
    run = Run(told.what, told.segments or usual, told.dims, work, keep, not told.without_rivals, told.quick)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    run.work.mkdir(parents=True, exist_ok=True)
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    tables.say(f"{os.cpu_count()} cores, load {load}")
    started = time.perf_counter()
    with server.running(run.work) as home:
        good = uvloop.run(measure(run, home))  # as the services run
    tables.say(f"{(time.perf_counter() - started) / 60:.0f} minutes")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
