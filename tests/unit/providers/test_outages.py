"""What opened the circuit is waited out, unless one alone keeps failing while calls are answered."""

import pytest

from providers.errors import ProviderPausedError, ProviderUnavailable
from providers.outages import Outages


def failed(outages: Outages, who: str, answered: int, pause_s: float = 60) -> type[Exception]:
    """Fails as ``who`` once the provider has ``answered`` so many calls, and returns what becomes of it."""
    failure = ProviderUnavailable("no")
    failure.answered, failure.pause_s = answered, pause_s
    with pytest.raises((ProviderPausedError, ProviderUnavailable)) as caught, outages.as_pauses(who):
        raise failure
    return caught.type


def test_an_outage_of_everybody_is_waited_out_however_long_it_takes() -> None:
    outages = Outages()
    assert {failed(outages, "a", 7) for _ in range(100)} == {ProviderPausedError}


def test_a_failure_that_leaves_the_circuit_closed_counts() -> None:
    assert failed(Outages(), "a", 7, pause_s=0) is ProviderUnavailable


def test_who_fails_thirty_times_while_calls_are_answered_waits_no_longer() -> None:
    outages = Outages()
    assert {failed(outages, "a", answered) for answered in range(30)} == {ProviderPausedError}
    assert failed(outages, "a", 30) is ProviderUnavailable
    assert failed(outages, "b", 31) is ProviderPausedError


def test_who_came_through_starts_anew() -> None:
    outages = Outages()
    assert {failed(outages, "a", answered) for answered in range(30)} == {ProviderPausedError}
    with outages.as_pauses("a"):
        pass
    assert {failed(outages, "a", answered) for answered in range(31, 61)} == {ProviderPausedError}
    assert failed(outages, "a", 61) is ProviderUnavailable
