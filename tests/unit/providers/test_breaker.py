"""The breaker opens after a run of failures, lets one probe through, and believes what the probe says."""

import pytest

from providers.breaker import CircuitBreaker


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> CircuitBreaker:
    return CircuitBreaker(clock)


def fail(breaker: CircuitBreaker, times: int, retry_after_s: float | None = None) -> None:
    for _ in range(times):
        breaker.begin()
        breaker.failed(retry_after_s)


def test_four_failures_are_bad_luck_and_a_success_forgets_them(breaker: CircuitBreaker) -> None:
    fail(breaker, 4)
    assert breaker.wait_s() == 0
    breaker.succeeded()
    fail(breaker, 4)
    assert breaker.wait_s() == 0


def test_the_fifth_opens_for_a_minute(breaker: CircuitBreaker, clock: Clock) -> None:
    fail(breaker, 5)
    assert breaker.wait_s() == 60
    clock.now += 59
    assert breaker.wait_s() == 1
    clock.now += 1
    assert breaker.wait_s() == 0


def test_half_open_lets_one_probe_through(breaker: CircuitBreaker, clock: Clock) -> None:
    fail(breaker, 5)
    clock.now += 60
    breaker.begin()
    assert breaker.wait_s() > 0
    breaker.succeeded()
    assert breaker.wait_s() == 0
    breaker.begin()
    assert breaker.wait_s() == 0


def test_a_failed_probe_opens_again_at_once(breaker: CircuitBreaker, clock: Clock) -> None:
    fail(breaker, 5)
    clock.now += 60
    fail(breaker, 1)
    assert breaker.wait_s() == 60


def test_an_abandoned_probe_makes_room_and_a_lost_one_is_not_waited_for_for_ever(
    breaker: CircuitBreaker, clock: Clock
) -> None:
    fail(breaker, 5)
    clock.now += 60
    breaker.begin()
    breaker.abandoned()
    assert breaker.wait_s() == 0
    breaker.begin()
    clock.now += 60
    assert breaker.wait_s() == 0


def test_a_pause_that_is_asked_for_opens_at_once_and_is_probed_first(breaker: CircuitBreaker, clock: Clock) -> None:
    fail(breaker, 1, retry_after_s=17)
    assert breaker.wait_s() == 17
    clock.now += 17
    breaker.begin()
    assert breaker.wait_s() > 0


def test_no_pause_is_longer_than_ten_minutes_or_shortened_by_another(breaker: CircuitBreaker) -> None:
    fail(breaker, 1, retry_after_s=90_000)
    assert breaker.wait_s() == 600
    fail(breaker, 1, retry_after_s=5)
    assert breaker.wait_s() == 600


def test_a_late_success_of_an_old_call_does_not_shorten_the_pause(breaker: CircuitBreaker) -> None:
    fail(breaker, 1, retry_after_s=30)
    breaker.succeeded()
    assert breaker.wait_s() == 30
