"""Fusing lists: both beat one, literal beats all, and reading deeper only appends."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from search.cut_offs import Cutoffs
from search.ranking import (
    CANDIDATES,
    MatchReason,
    PassageHit,
    PassageKey,
    SemanticHit,
    TextHit,
    best_moments,
    goes_on,
    rank,
    tier_for,
)

TEXT = frozenset({MatchReason.TEXT})
OPEN = Cutoffs(0.0, 0.0)


def near(upload_id, similarity=0.5, *passages):
    return SemanticHit(upload_id, similarity, lambda: passages)


def said(upload_id, coverage=1.0, *passages, literal=False, matched=TEXT):
    return TextHit(upload_id, coverage, literal, matched, lambda: passages)


def order(ranked):
    return [file.upload_id for file in ranked]


def test_a_file_found_both_ways_comes_before_the_first_of_either():
    ranked = rank([near("m1", 0.9), near("both", 0.6)], [said("w1"), said("both")], OPEN)
    assert order(ranked)[0] == "both"
    assert ranked[0].matched == {MatchReason.SEMANTIC, MatchReason.TEXT}


def test_one_word_in_common_does_not_outweigh_the_nearest_meaning():
    ranked = rank([near("nearest", 0.7), near("far", 0.4)], [said("far", 0.5)], OPEN)
    assert order(ranked) == ["nearest", "far"]


def test_what_is_hardly_near_counts_only_where_words_speak_for_it():
    cutoffs = Cutoffs(alone=0.4, with_words=0.2)
    semantic = [near("alone", 0.39), near("supported", 0.21), near("too far", 0.19)]
    ranked = rank(semantic, [said("supported", 0.2), said("too far", 0.2)], cutoffs)
    assert order(ranked) == ["supported"]
    assert order(rank(semantic, [], cutoffs)) == []


def test_a_query_that_was_read_poorly_goes_by_its_words():
    lists = [near("m", 0.5)], [said("w", 0.8)]
    assert order(rank(*lists, Cutoffs(0.4, 0.2))) == ["m", "w"]
    assert order(rank(*lists, Cutoffs(0.4, 0.2, trust=0.3))) == ["w", "m"]


def test_half_covered_counts_less_than_half():
    ranked = rank([near("m", 0.3)], [said("w", 0.5)], OPEN)
    assert order(ranked) == ["m", "w"]


def test_literal_hits_come_first_however_near_others_are():
    ranked = rank([near("m1", 0.99), near("m2", 0.98)], [said("m1"), said("code", 0.3, literal=True)], OPEN)
    assert order(ranked)[0] == "code"


def test_similarity_is_between_0_and_1_and_the_better_of_both():
    (file,) = rank([near("a", 1.0000001)], [said("a", 0.4)], OPEN)
    assert file.similarity == 1.0
    (file,) = rank([near("a", 0.3)], [said("a", 0.8)], OPEN)
    assert file.similarity == 0.8


def test_a_meaning_hardly_near_enough_does_not_outvote_all_words():
    cutoffs = Cutoffs(0.29, 0.22)
    for similarity, first in ((0.3, "said"), (0.5, "near")):
        ranked = rank([near("near", similarity)], [said("said", 0.95)], cutoffs)
        assert [file.upload_id for file in ranked][:1] == [first]


def test_the_best_moments_one_found_both_ways_first():
    keys = [PassageKey("m", i) for i in range(CANDIDATES + 2)]
    by_meaning = [PassageHit(keys[i], 0.9 - i / 10) for i in range(CANDIDATES + 1)]
    moments = best_moments(by_meaning, [PassageHit(keys[3], 1.0), PassageHit(keys[-1], 0.2)])
    assert [moment.key.ordinal for moment in moments] == [3, 0, 1, 2, 4]
    assert moments[0].matched == {MatchReason.SEMANTIC, MatchReason.TEXT}
    assert moments[1].matched == {MatchReason.SEMANTIC}


def test_a_quoted_passage_is_the_first_moment():
    near_by = PassageHit(PassageKey("m", 0), 0.9)
    moments = best_moments([near_by], [PassageHit(PassageKey("m", 7), 0.2, quoted=True)])
    assert moments[0].matched == {MatchReason.QUOTED}
    assert [moment.key.ordinal for moment in moments] == [7, 0]


def test_a_quoted_passage_says_so_beside_its_other_words():
    key = PassageKey("m", 7)
    for near_by, why in (([], set()), ([PassageHit(key, 0.9)], {MatchReason.SEMANTIC})):
        (moment,) = best_moments(near_by, [PassageHit(key, 0.2, quoted=True, others=True)])
        assert moment.matched == {MatchReason.QUOTED, MatchReason.TEXT} | why


ids = st.builds(
    lambda size, seed: list(map(str, Random(seed).sample(range(900), size))), st.integers(0, 700), st.integers(0, 2**32)
)
"""As long as several tiers: a strategy of lists hardly ever makes more than a few dozen."""


@given(ids, ids)
def test_reading_deeper_only_appends(by_meaning, by_words):
    semantic = [near(upload_id, 1 - i / 1000) for i, upload_id in enumerate(by_meaning)]
    textual = [said(upload_id) for upload_id in by_words]
    first = order(rank(semantic[:200], textual[:200], OPEN))
    everything = order(rank(semantic, textual, OPEN))
    assert everything[: len(first)] == first
    assert sorted(everything) == sorted({*by_meaning, *by_words})


@st.composite
def lists(draw):
    """Both lists in their order, of files some of which are in both; anything from hardly to surely fitting."""
    by_meaning, by_words = draw(ids), draw(ids)
    weakest, literal = draw(st.floats(0.0, 0.9)), draw(st.integers(0, 60))
    fits = [1 - i * (1 - weakest) / 700 for i in range(700)]
    semantic = [near(upload_id, fit) for upload_id, fit in zip(by_meaning, fits, strict=False)]
    textual = [
        said(upload_id, fit, literal=i < literal)
        for i, (upload_id, fit) in enumerate(zip(by_words, fits, strict=False))
    ]
    return semantic, textual


@given(lists(), st.sampled_from([50, 200]), st.booleans())
def test_how_deep_the_lists_are_read_changes_neither_order_nor_what_is_found(both, depth, vouch):
    semantic, textual = both
    cutoffs = Cutoffs(alone=0.6, with_words=0.2)
    cut = semantic[:depth], textual[:depth]
    first = order(rank(*cut, cutoffs, words_only_vouch=vouch))
    everything = order(rank(semantic, textual, cutoffs, words_only_vouch=vouch))
    assert everything[: len(first)] == first
    if goes_on(cut[0], [] if vouch else cut[1], cutoffs, depth):
        assert len(first) >= depth
    else:
        assert everything == first


def test_the_depth_covers_the_last_result_asked_for():
    assert tier_for(20) == 50
    assert tier_for(50) == 200
    assert tier_for(201) == 2000
    assert tier_for(10_100) == 20_000
