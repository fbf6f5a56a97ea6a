"""The way to the nearest vectors follows from how many are left, whatever made them few."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.planner import (
    CROSSOVERS,
    Counts,
    ScanMethod,
    belong_in_the_graph,
    choose_scan,
    files_read_exactly,
    rows_for_the_graph,
)
from search.tables import VECTOR_TABLES


def merged(passages, files=None):
    return Counts(passages, in_graph=passages, files=files or max(passages // 10, 1))


@pytest.mark.parametrize("dimensions", VECTOR_TABLES)
def test_every_size_has_its_way(dimensions):
    crossovers = CROSSOVERS[dimensions]
    for passages, method in (
        (0, ScanMethod.EXACT),
        (min(crossovers.graph_scan_from, crossovers.exact_up_to), ScanMethod.EXACT),
        (
            crossovers.graph_scan_from,
            ScanMethod.EXACT if crossovers.graph_scan_from <= crossovers.exact_up_to else ScanMethod.CODES,
        ),
        (crossovers.graph_scan_from + 1, ScanMethod.GRAPH),
        (300_000, ScanMethod.GRAPH),
    ):
        assert choose_scan(merged(passages), None, dimensions).method is method


@pytest.mark.parametrize("dimensions", VECTOR_TABLES)
def test_without_a_graph_many_are_found_by_their_codes(dimensions):
    most = CROSSOVERS[dimensions].exact_up_to
    assert choose_scan(Counts(most, 0, 100), None, dimensions).method is ScanMethod.EXACT
    assert choose_scan(Counts(most + 1, 0, 100), None, dimensions).method is ScanMethod.CODES


def test_what_counts_is_what_the_filters_leave():
    counts = merged(100_000, files=10_000)
    assert choose_scan(counts, 10_000, 384).method is ScanMethod.GRAPH
    assert choose_scan(counts, 1500, 384).method is ScanMethod.CODES
    assert choose_scan(counts, 50, 384).method is ScanMethod.EXACT
    assert choose_scan(counts, 50, 384).rows_left == 500


@given(
    st.integers(1, 200_000), st.floats(0, 1), st.integers(1, 20_000), st.floats(0.01, 1), st.sampled_from([*CROSSOVERS])
)
def test_so_many_files_are_read_exactly_as_the_planner_chooses_it_for(passages, merged, files, of_graph, dimensions):
    counts = Counts(passages, round(passages * merged), files, of_graph)
    most = files_read_exactly(counts, dimensions)
    for wanted in {0, most, most + 1, files // 2, files, files + 5} & {*range(files + 6)}:
        assert (choose_scan(counts, wanted, dimensions).method is ScanMethod.EXACT) == (wanted <= most), wanted


def test_more_wanted_files_than_have_vectors_leave_no_more_than_all():
    assert choose_scan(Counts(1000, 0, 10), 500, 384).rows_left == 1000
    assert choose_scan(Counts(1000, 0, 0), 500, 384).rows_left == 1000


def test_what_is_not_in_the_graph_is_not_sought_there():
    assert choose_scan(Counts(100_000, 0, 10_000), None, 384).method is ScanMethod.CODES
    assert choose_scan(Counts(100_000, 1000, 10_000), None, 384).method is ScanMethod.CODES


def test_a_graph_shared_with_others_is_walked_for_more_vectors_only():
    alone = merged(11_000)
    shared = Counts(11_000, 11_000, 1000, of_graph=0.1)
    assert choose_scan(alone, None, 384).method is ScanMethod.GRAPH
    assert choose_scan(shared, None, 384).method is ScanMethod.CODES
    assert choose_scan(Counts(100_000, 100_000, 10_000, of_graph=0.1), None, 384).method is ScanMethod.GRAPH


def test_small_tenants_stay_out_of_the_graph():
    limit = CROSSOVERS[384].graph_from
    assert not belong_in_the_graph(limit, 384)
    assert belong_in_the_graph(limit + 1, 384)


def test_a_growing_tenant_catches_up_and_then_keeps_pace():
    counts, limit = Counts(0, 0, 0), CROSSOVERS[384].graph_from
    for _ in range(5000):
        belong = belong_in_the_graph(counts.passages + 12, 384)
        moved = rows_for_the_graph(counts, 12) if belong else 0
        assert moved <= 12 * 4 + 64
        counts = Counts(counts.passages + 12, counts.in_graph + moved + 12 * belong, 1)
        assert counts.fresh <= limit
    assert counts.fresh == 0
