"""The verdict on an error is a pure function of the error and the attempt."""

import pytest

from contracts.artifacts import FailureCode
from eventing.errors import Discard, Poison, Reject, RetryLater
from eventing.retry import Forget, GiveUp, TryAgain, verdict

QUOTA = RetryLater(FailureCode.QUOTA_EXCEEDED, "the provider is busy", delay_s=30)


@pytest.mark.parametrize(
    ("error", "attempt", "expected"),
    [
        (QUOTA, 1, TryAgain(30)),
        (QUOTA, 4, TryAgain(30)),
        (QUOTA, 5, GiveUp(FailureCode.QUOTA_EXCEEDED, "the provider is busy")),
        (QUOTA, None, TryAgain(30)),
        (ValueError("x"), 1, TryAgain(0)),
        (ValueError("x"), 5, GiveUp(FailureCode.INTERNAL, "ValueError: x")),
        (ValueError("x"), 9, GiveUp(FailureCode.INTERNAL, "ValueError: x")),
        (TimeoutError(), 5, GiveUp(FailureCode.TIMEOUT, "TimeoutError: ")),
        (Discard("gone"), 1, Forget("gone")),
        (Poison("not JSON"), 1, GiveUp(FailureCode.INTERNAL, "not JSON")),
        (Reject(FailureCode.CORRUPT, "broken"), 1, GiveUp(FailureCode.CORRUPT, "broken")),
    ],
)
def test_verdict(error: Exception, attempt: int | None, expected: object) -> None:
    assert verdict(error, attempt, 5) == expected


def test_a_delay_stays_within_what_the_broker_allows() -> None:
    assert RetryLater(FailureCode.NETWORK, "x", delay_s=99_999).delay_s == 600
    assert RetryLater(FailureCode.NETWORK, "x", delay_s=-1).delay_s == 0
