"""Why a call did not succeed; each message is a sentence for a person."""

from collections.abc import Mapping
from typing import Any


class MmsearchError(Exception):
    """Any failure of this library."""


class NotConfiguredError(MmsearchError):
    """No address or API key is known."""


class UnreachableError(MmsearchError):
    """Nobody answered at the address, or the connection broke."""


class ShortenedError(OSError):
    """A file of which there is less than when its sending began."""

    def __init__(self) -> None:
        super().__init__("The file became shorter while it was sent.")


class ApiError(MmsearchError):
    """The API refused. ``code`` is stable, ``status`` the HTTP status; ``trace_id`` finds the request in the logs.

    ``retry_after_s`` is how long it asks to wait, None when it does not say.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        details: Mapping[str, Any],
        trace_id: str | None,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.details = dict(details)
        self.trace_id = trace_id
        self.retry_after_s = retry_after_s
