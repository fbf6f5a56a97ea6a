"""Every way finds what exact search finds, for every size of tenant and every filter, in embeddings of real sentences.

The full measurement, among 300,000 segments and in 1536 dimensions too: ``python -m tests.bench.search recall``.
"""

import pytest
from sqlalchemy import text

from search.planner import ScanMethod
from search.request import Filters
from search.store import by_meaning, graph
from tests.bench.search.corpus import sentences
from tests.bench.search.filling import MODEL, fill, tenants_of
from tests.bench.search.measuring import DEPTH, Bench, keeping

SIZES = (10, 100, 1000, 2500)
LEAST = 0.99


@pytest.fixture
async def bench(service_database, admin_url, tmp_path):
    database = await service_database("search")
    source = await sentences(tmp_path, of_a_subject=10, questions_of_a_subject=1)
    plain_url = admin_url.replace("+asyncpg", "")
    stored = await fill(plain_url, source, tenants_of(4000, SIZES), 384, graph_from=2000)
    return Bench(database, stored, source, 384, questions=12)


async def test_recall_and_never_fewer_than_there_are(bench):
    for tenant in bench.stored.tenants[: len(SIZES)]:
        for share in (1.0, 0.3, 0.05):
            ways = [None, ScanMethod.EXACT, ScanMethod.CODES] + [ScanMethod.GRAPH] * (tenant.passages > 2000)
            for method in ways:
                timing = await bench.by_meaning(tenant.user_id, keeping(share), method)
                case = (tenant.passages, share, method)
                assert timing.fewest_missing == 0, case
                assert timing.recall >= LEAST, (case, timing.recall)
    await assert_reading_deeper_only_appends(bench, bench.stored.tenants[len(SIZES) - 1].user_id)


async def test_every_way_of_1536_dimensions(service_database, admin_url, tmp_path):
    source = await sentences(tmp_path, of_a_subject=10, questions_of_a_subject=1)
    plain_url = admin_url.replace("+asyncpg", "")
    database = await service_database("search")
    stored = await fill(plain_url, source, tenants_of(1000, (700,)), 1536, graph_from=500)
    bench = Bench(database, stored, source, 1536, questions=6)
    for method in (None, *ScanMethod):
        timing = await bench.by_meaning(stored.tenants[0].user_id, keeping(0.5), method)
        assert (timing.fewest_missing, timing.recall >= LEAST) == (0, True), (method, timing.recall)


async def assert_reading_deeper_only_appends(bench, user):
    """Ways that miss some would otherwise show a file on two pages, or on none."""
    for method in (ScanMethod.CODES, ScanMethod.GRAPH):
        walks = await scans_of_graphs(bench, user)
        for vector in bench.packed:
            first, deeper = [await nearest(bench, user, vector, depth, method) for depth in (DEPTH, 4 * DEPTH)]
            assert deeper[:DEPTH] == first
            assert len(set(deeper)) == len(deeper) > DEPTH
        assert (await scans_of_graphs(bench, user) > walks) == (method is ScanMethod.GRAPH)


async def scans_of_graphs(bench, user):
    """How often a graph was walked through so far; so that what is called a walk is one."""
    async with bench.transaction(user) as reading:
        await reading.execute(text("SELECT pg_stat_force_next_flush()"), {})
    async with bench.transaction(user) as reading:
        await reading.execute(text("SELECT pg_stat_clear_snapshot()"), {})
        counted = "SELECT sum(idx_scan) AS scans FROM pg_stat_all_indexes WHERE indexrelname LIKE 'vectors_384_graph%'"
        return (await reading.execute(text(counted), {})).one().scans


async def nearest(bench, user, vector, depth, method):
    async with bench.transaction(user) as reading:
        found = await by_meaning.nearest(
            reading,
            user,
            Filters(),
            await graph.counts(reading, user, MODEL, 384),
            model_id=MODEL,
            dimensions=384,
            vector=vector,
            cutoff=-1.0,
            depth=depth,
            method=method,
        )
    return [hit.upload_id for hit in found]
