"""How near is near enough: plain for what the model can read, higher or never for what it cannot."""

import math

import pytest

from search.cut_offs import Calibration, Cutoffs, calibration_for

MEASURED = Calibration(0.29, 0.22, 0.42, frozenset({"melting", "ice", "report", "a"}))


def test_a_query_of_known_words_has_the_plain_bar():
    for text in ("melting ice", "Melting ICE glaciers", "ice qwrt"):
        assert MEASURED.cutoffs(text) == Cutoffs(0.29, 0.22), text


def test_strange_is_what_the_model_does_not_know_as_a_whole():
    assert MEASURED.strange({"melting", "meltng"}) == {"meltng"}
    assert Calibration(0.25, 0.15).strange({"melting", "meltng"}) == set(), "one that reads everything"


def test_fragments_must_be_nearer_and_count_less():
    for text in ("asdf qwer zxcv", "melting qwer zxcv", "8f3a9c", "a b c"):
        cutoffs = MEASURED.cutoffs(text)
        assert (cutoffs.alone, cutoffs.with_words) == (0.42, 0.22), text
        assert cutoffs.trust < 1, text


def test_in_a_script_the_model_cannot_read_only_words_can_vouch():
    for text in ("тырпыр", "子猫の餌", "ice 猫"):
        assert MEASURED.cutoffs(text).alone == math.inf, text


def test_where_nothing_can_be_read_only_words_can_vouch():
    for text in ("x" * 1000, "x" * 101 + " " + "y" * 101, "\u0199\u0199"):
        assert MEASURED.cutoffs(text).alone == math.inf, text
        assert MEASURED.cutoffs(text).with_words == 0.22, text
    for text in ("x" * 100, "x" * 1000 + " qwrt", "\u0199asa qwrt"):
        assert MEASURED.cutoffs(text).alone == 0.42, text
    assert Calibration(0.25, 0.15).cutoffs("x" * 1000) == Cutoffs(0.25, 0.15)


def test_all_bars_rise_with_the_passages_up_to_as_many_as_were_measured():
    rising = Calibration(0.29, 0.22, 0.42, MEASURED.vocabulary, rises=0.02)
    for text in ("ice", "asdf qwer", "猫"):
        few, more, many, most = (rising.cutoffs(text, passages) for passages in (500, 1359, 10_000, 10_000_000))
        assert few == rising.cutoffs(text) == MEASURED.cutoffs(text)
        assert more.with_words - few.with_words == pytest.approx(0.02, abs=1e-4)
        assert more.alone in (math.inf, pytest.approx(few.alone + 0.02, abs=1e-4))
        assert many == most
        assert many.alone in (math.inf, pytest.approx(few.alone + 0.06, abs=1e-3))


def test_the_bars_of_a_sentence_stay_where_they_are():
    """Its true answers begin at the bar whatever else the user has."""
    rising = Calibration(0.29, 0.22, 0.42, MEASURED.vocabulary, rises=0.02)
    assert rising.cutoffs("a report of melting ice", 10_000) == Cutoffs(0.29, 0.22)
    assert rising.cutoffs("a report melting", 10_000).alone > 0.34
    assert rising.cutoffs("a qwer asdf zxcv yxcv", 10_000).alone > 0.47, "one that is read poorly is no sentence"


def test_a_model_without_a_vocabulary_reads_everything():
    assert Calibration(0.25, 0.15).cutoffs("asdf 猫") == Cutoffs(0.25, 0.15)
    assert MEASURED.cutoffs("!!!") == Cutoffs(0.29, 0.22)


def test_each_model_has_its_own():
    assert calibration_for("all-minilm-l6-v2@53aa5117").cutoffs("melting ice").alone == 0.29
    assert calibration_for("all-minilm-l6-v2@53aa5117").cutoffs("blorptang fizzwick").alone > 0.4
    assert calibration_for("text-embedding-3-small@1536").vocabulary is None
    assert calibration_for("never heard of").plain < 0.25
