"""The condition on passages holds for all that hold enough of a query, and the sample says what is enough."""

import re
from itertools import count
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.ranking import SUPPORTING_COVERAGE
from search.thresholds import SAMPLES, Sample, SampleGroup, TermWeights, least_share, sample_for, threshold_query

weights = st.lists(st.floats(0.1, 12), min_size=1, max_size=9)


def holds(condition, mask):
    """Whether a passage of these terms meets a tsquery of terms t0, t1, …"""
    return eval(
        re.sub(r"t(\d+)", lambda t: str(bool(mask >> int(t[1]) & 1)), condition).replace("|", "or").replace("&", "and")
    )


def condition(term_weights, least):
    return threshold_query([f"t{i}" for i in range(len(term_weights.weights))], term_weights, least)


@given(weights, st.floats(0.01, 1), st.data())
def test_every_passage_that_holds_enough_meets_the_condition(weights, least, data):
    term_weights = TermWeights(weights, data.draw(st.integers(0, 2 ** len(weights) - 1)))
    met = condition(term_weights, least)
    for mask in range(1, 2 ** len(weights)):
        if term_weights.share(mask) >= least:
            assert holds(met, mask), (met, mask)


@given(st.lists(st.floats(0.1, 12), min_size=1, max_size=5), st.floats(0.01, 1))
def test_short_queries_let_nothing_else_through(weights, least):
    term_weights = TermWeights(weights, 0)
    met = condition(term_weights, least)
    for mask in range(1, 2 ** len(weights)):
        assert holds(met, mask) == (term_weights.share(mask) >= least - 1e-9), (met, mask)


@pytest.mark.parametrize("terms", [1, 8, 12, 32])
@pytest.mark.parametrize("least", [0.15, 0.5, 0.95, 1.0])
def test_long_queries_stay_short_conditions(terms, least):
    met = condition(TermWeights([1.0 + i / 10 for i in range(terms)], 0), least)
    assert len(re.findall(r"t\d+", met)) <= 64
    assert holds(met, 2**terms - 1)


def test_a_literal_term_is_always_enough():
    term_weights = TermWeights([1.0, 5.0, 5.0], literal=0b001)
    assert holds(condition(term_weights, 1.0), 0b001)
    assert term_weights.share(0b001) > term_weights.share(0b110)


def test_small_tenants_are_read_whole_and_larger_ones_by_the_smallest_telling_sample():
    assert [sample_for(files) for files in (0, 10, 400)] == [None, None, None]
    assert [sample_for(files) for files in (401, 800, 100_000, 10_000_000)] == [4, 16, 1024, 1024]
    assert set(SAMPLES) >= {sample_for(files) for files in range(401, 200_000, 997)}


def test_rare_words_weigh_more_and_unseen_ones_most():
    sample = Sample(4, 400, [SampleGroup(0b011, 0b011, 10, 10), SampleGroup(0b001, 0b001, 80, 80)])
    common, rare, unseen = sample.weights(3)
    assert common < rare < unseen
    assert sample.passing == 360


def test_enough_is_what_more_files_than_asked_hold_in_all_likelihood():
    term_weights = TermWeights([1.0, 1.0], 0)
    some = Sample(4, 4000, [SampleGroup(3, 3, 30, 30), SampleGroup(3, 1, 400, 400)])
    assert least_share(some, term_weights, depth=50) == 1.0
    assert least_share(some, term_weights, depth=200) == 0.5
    assert least_share(some, term_weights, depth=2000) == SUPPORTING_COVERAGE
    smaller = Sample(16, 4000, [SampleGroup(3, 3, 6, 6), SampleGroup(3, 1, 400, 400)])
    assert least_share(smaller, term_weights, depth=50) == 0.5
    assert least_share(smaller, term_weights, depth=45) == 1.0
    few_wanted = Sample(4, 4000, [SampleGroup(3, 3, 30, 1), SampleGroup(3, 1, 500, 40)])
    assert least_share(few_wanted, term_weights, depth=50) == 0.5


@pytest.mark.parametrize("one_in", SAMPLES[:3])
@pytest.mark.parametrize("depth", [50, 200, 2000])
def test_nine_times_of_ten_there_are_as_many_files_as_the_sample_was_taken_to_say(one_in, depth):
    term_weights, luck = TermWeights([1.0], 0), Random(1)
    enough = next(
        n for n in range(4000) if least_share(Sample(one_in, 1, [SampleGroup(1, 1, n, n)]), term_weights, depth) == 1
    )
    there_were = [sum(files_until_one_is_sampled(one_in, luck) for _ in range(enough)) for _ in range(300)]
    assert sum(files >= depth for files in there_were) >= 0.86 * len(there_were)


def files_until_one_is_sampled(one_in, luck):
    return next(n for n in count(1) if not luck.randrange(one_in))
