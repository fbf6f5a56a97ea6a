"""What becomes of a message whose handler raised: one pure function from the error to a verdict."""

from dataclasses import dataclass

from contracts.artifacts import FailureCode
from eventing.errors import Discard, Poison, Reject, RetryLater


@dataclass(frozen=True)
class TryAgain:
    """Nack; the subscription's retry policy sets the pace, ``delay_s`` bounds it from below."""

    delay_s: float = 0


@dataclass(frozen=True)
class GiveUp:
    """Publish to the dead-letter topic with the reason, then ack; the owner sees a failed status."""

    code: FailureCode
    reason: str


@dataclass(frozen=True)
class Forget:
    """Ack: there is nothing left to do."""

    reason: str


Verdict = TryAgain | GiveUp | Forget


def verdict(error: Exception, attempt: int | None, max_deliveries: int) -> Verdict:
    """Classifies an error; on the last delivery what could be retried is given up, with its reason kept."""
    match error:
        case Reject():
            return GiveUp(error.code, error.message)
        case Discard():
            return Forget(str(error))
        case Poison():
            return GiveUp(FailureCode.INTERNAL, str(error))
        case _:
            pass
    if attempt is not None and attempt >= max_deliveries:
        return GiveUp(failure_code(error), _reason(error))
    return TryAgain(error.delay_s if isinstance(error, RetryLater) else 0)


def failure_code(error: Exception) -> FailureCode:
    """Under which code a failure is counted, and shown when it is the last."""
    if isinstance(error, RetryLater):
        return error.code
    return FailureCode.TIMEOUT if isinstance(error, TimeoutError) else FailureCode.INTERNAL


def _reason(error: Exception) -> str:
    if isinstance(error, RetryLater):
        return error.message
    return f"{type(error).__name__}: {error}"
