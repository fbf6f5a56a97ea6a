"""What a handler may raise, and what each means for the message it was working on.

    HandlerError
    ├── Reject       the file can never be processed: media.failed.v1 with its code, ack
    ├── RetryLater   not now: nack, tried again after the delay (at the latest by the retry policy)
    ├── Discard      there is nothing left to do: ack, a line in the log
    └── Poison       the message itself is broken: to the dead letter with the reason, ack

Anything else is a defect or an outage: nack, retried, dead-lettered after the last delivery with its reason.
"""

from contracts.artifacts import FailureCode, Usage


class HandlerError(Exception):
    """Base of everything a handler raises on purpose."""


class Reject(HandlerError):
    """The file is refused for good.

    ``message`` is shown to the owner: plain words, no internals, at most 1000 characters. ``usage`` is what was paid
    for the file all the same.
    """

    def __init__(self, code: FailureCode, message: str, *, retryable: bool = False, usage: Usage | None = None) -> None:
        super().__init__(f"{code.value}: {message}")
        self.code = code
        self.message = message[:1000]
        self.retryable = retryable
        self.usage = usage or Usage()


class RetryLater(HandlerError):
    """The work could not be done now: provider quota, network, an overloaded dependency.

    ``delay_s`` (seconds, 0 to 600) is a wish; the subscription's retry policy bounds it from below.
    ``code`` and ``message`` become the visible failure when the last delivery fails too.
    """

    def __init__(self, code: FailureCode, message: str, *, delay_s: float = 0) -> None:
        super().__init__(f"{code.value}: {message}")
        self.code = code
        self.message = message[:1000]
        self.delay_s = min(max(delay_s, 0.0), 600.0)


class Discard(HandlerError):
    """The message's subject is gone (deleted or overwritten) or another's to do: nothing to do, nothing wrong."""


class Poison(HandlerError):
    """The message cannot be understood, or refers to an artifact that is not there."""
