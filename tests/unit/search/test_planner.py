"""The way to the nearest vectors follows from how many are left, whatever made them few."""

import pytest

from search.planner import CROSSOVERS, FRESH, Counts, Way, choose, rows_for_the_graph
from search.tables import VECTOR_TABLES


def merged(passages, files=None):
    return Counts(passages, in_graph=passages, files=files or max(passages // 10, 1))


@pytest.mark.parametrize("dimensions", VECTOR_TABLES)
def test_every_size_has_its_way(dimensions):
    crossovers = CROSSOVERS[dimensions]
    assert 0 < crossovers.exact_up_to < crossovers.codes_up_to
    for passages, way in (
        (0, Way.EXACT),
        (crossovers.exact_up_to, Way.EXACT),
        (crossovers.exact_up_to + 1, Way.CODES),
        (crossovers.codes_up_to, Way.CODES),
        (crossovers.codes_up_to + 1, Way.GRAPH),
        (300_000, Way.GRAPH),
    ):
        assert choose(merged(passages), None, dimensions).way is way


def test_what_counts_is_what_the_filters_leave():
    counts = merged(100_000, files=10_000)
    assert choose(counts, 10_000, 384).way is Way.GRAPH
    assert choose(counts, 1000, 384).way is Way.CODES
    assert choose(counts, 50, 384).way is Way.EXACT
    assert choose(counts, 50, 384).rows_left == 500


def test_more_wanted_files_than_have_vectors_leave_no_more_than_all():
    assert choose(Counts(1000, 0, 10), 500, 384).rows_left == 1000
    assert choose(Counts(1000, 0, 0), 500, 384).rows_left == 1000


def test_what_is_not_in_the_graph_is_not_sought_there():
    assert choose(Counts(100_000, 0, 10_000), None, 384).way is Way.CODES
    assert choose(Counts(100_000, 1000, 10_000), None, 384).way is Way.CODES


def test_small_tenants_stay_out_of_the_graph():
    limit = CROSSOVERS[384].codes_up_to
    assert rows_for_the_graph(Counts(limit, 0, 10), 100, 384) == 0


def test_a_growing_tenant_catches_up_and_then_keeps_pace():
    counts, limit = Counts(0, 0, 0), CROSSOVERS[384].codes_up_to
    for _ in range(5000):
        moved = rows_for_the_graph(Counts(counts.passages + 12, counts.in_graph, 1), 12, 384)
        assert moved <= 12 * 4 + 64
        counts = Counts(counts.passages + 12, counts.in_graph + moved, 1)
        assert counts.fresh <= max(limit + 12, FRESH)
    assert counts.fresh == FRESH
