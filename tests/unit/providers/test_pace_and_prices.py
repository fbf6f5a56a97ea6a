"""Calls start no faster than agreed; tokens cost what the table says; pauses are read in every spelling."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.pace import Pace
from providers.prices import Price, price_of
from providers.retry_after import retry_after_s, seconds_of


@given(st.lists(st.floats(0, 30), min_size=1, max_size=200))
def test_no_minute_holds_more_starts_than_agreed(pauses: list[float]) -> None:
    now = [0.0]
    pace = Pace(lambda: now[0], per_minute=20, burst=5)
    starts = []
    for pause in pauses:
        now[0] += pause
        starts.append(now[0] + pace.reserve())
    assert starts == sorted(starts)
    for i, start in enumerate(starts):
        assert sum(start <= other < start + 59.99 for other in starts[i:]) <= 20 + 5


def test_a_burst_starts_at_once_and_the_rest_evenly() -> None:
    pace = Pace(lambda: 0.0, per_minute=60, burst=3)
    assert [pace.reserve() for _ in range(6)] == [0, 0, 0, 1, 2, 3]


def test_unused_time_is_not_saved_up_beyond_the_burst() -> None:
    now = [0.0]
    pace = Pace(lambda: now[0], per_minute=60, burst=3)
    now[0] = 10_000
    assert [pace.reserve() for _ in range(5)] == [0, 0, 0, 1, 2]


def test_a_million_tokens_cost_their_price_and_an_unknown_model_is_refused() -> None:
    prices = {"m": Price(input_usd=2, output_usd=30)}
    assert price_of("m", prices).cost_usd(1_000_000, 500_000) == 17
    assert price_of("m", prices).cost_usd(1_000_000, audio_tokens=1_000_000) == 2
    assert Price(input_usd=2, audio_usd=5).cost_usd(1_000_000, audio_tokens=400_000) == pytest.approx(3.2)
    with pytest.raises(ValueError, match="no entry for the model n"):
        price_of("n", prices)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("17", 17), ("1.5", 1.5), ("33.5s", 33.5), (" 4 ", 4), ("-3", 0), ("inf", None), ("nan", None), ("", None)],
)
def test_seconds_in_every_spelling(text: str, seconds: float | None) -> None:
    assert seconds_of(text) == seconds


def test_headers_that_say_nothing() -> None:
    assert retry_after_s({}) is None
    assert retry_after_s({"retry-after": "Wed, 99 Foo 2026"}) is None
    assert retry_after_s({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}) == 0
