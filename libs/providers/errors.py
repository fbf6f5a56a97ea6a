"""How a call to a paid provider may fail, whatever the provider.

ProviderError
├── ProviderUnavailable   not now: the same call may work later
├── ProviderRefused       never: the provider will not do this for this input
└── ProviderAnswerInvalid an answer came, and it is not what was asked for
ProviderPausedError       nobody may call: breaker open, budget spent, or the next turn too far off; a
                          ``ConnectionError``, so that the pipeline's runtime waits with the message instead of
                          using up its attempts
"""


class ProviderError(Exception):
    """Base of every failure of a call that was made."""


class ProviderUnavailable(ProviderError):
    """Network, timeout, an overloaded provider, a quota, refused credentials.

    ``retry_after_s`` is what the provider asked for, in seconds, or None. ``quota`` tells a spent quota or rate
    limit from an outage. The gate notes how things stood after the failure: ``pause_s`` is how long nobody may call,
    0 while the circuit is closed, and ``answered`` how many calls the provider had answered by then.
    """

    pause_s: float = 0.0
    answered: int = 0

    def __init__(self, message: str, *, retry_after_s: float | None = None, quota: bool = False) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s
        self.quota = quota


class ProviderRefused(ProviderError):
    """``categories`` name why, in the provider's words, where it says so."""

    def __init__(self, message: str, *, categories: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.categories = categories


class ProviderAnswerInvalid(ProviderError):
    """Nothing of the answer may be kept."""


class ProviderPausedError(ConnectionError):
    """Nobody may call for another ``pause_s`` seconds, as far as is known now."""

    def __init__(self, reason: str, pause_s: float) -> None:
        super().__init__(f"{reason}; next call in {pause_s:.0f} s")
        self.pause_s = pause_s
