"""What is written about a failure: enough to find it, never what it was about."""

import errno
from collections.abc import Callable

import pytest

from contracts.artifacts import FailureCode
from eventing.errors import RetryLater
from telemetry.failures import describe, story, whereabouts

CANARY = "the text of a file"


def raised(action: Callable[[], object]) -> BaseException:
    try:
        action()
    except BaseException as error:
        return error
    raise AssertionError("nothing was raised")


def test_a_librarys_message_is_left_out_and_its_place_is_told() -> None:
    error = raised(lambda: int(CANARY))
    told = describe(error)
    assert CANARY not in told
    assert told.startswith("ValueError at <lambda> (test_failures.py:")


def test_our_own_words_are_kept() -> None:
    assert describe(RetryLater(FailureCode.NETWORK, "the provider is away")) == (
        "RetryLater: network: the provider is away"
    )


def test_what_the_system_says_is_named_by_its_number() -> None:
    error = raised(lambda: open("/nowhere/" + CANARY))  # noqa: PTH123, SIM115
    assert describe(error).startswith("FileNotFoundError ENOENT at ")
    assert CANARY not in describe(error)
    assert "ECONNREFUSED" in describe(ConnectionRefusedError(errno.ECONNREFUSED, CANARY))


def test_a_databases_refusal_is_named_by_its_state() -> None:
    class UniqueViolationError(Exception):
        sqlstate = "23505"

    assert describe(UniqueViolationError(f"DETAIL: Key (text)=({CANARY})")) == "UniqueViolationError 23505"


def test_causes_are_told_and_quote_nothing() -> None:
    def fails() -> None:
        try:
            int(CANARY)
        except ValueError as error:
            raise KeyError(CANARY) from error

    told = story(raised(fails))
    assert told.startswith("KeyError at fails")
    assert "; caused by ValueError at fails" in told
    assert CANARY not in told


def test_a_cause_that_goes_in_a_circle_ends() -> None:
    one, two = ValueError("x"), ValueError("y")
    one.__cause__, two.__cause__ = two, one
    assert story(one).count("ValueError") == 4


@pytest.mark.parametrize("depth", [1, 30])
def test_only_the_nearest_frames_are_named(depth: int) -> None:
    def dive(left: int) -> None:
        if left == 0:
            raise ValueError("deep")
        dive(left - 1)

    assert whereabouts(raised(lambda: dive(depth))).count("(test_failures.py:") <= 4
