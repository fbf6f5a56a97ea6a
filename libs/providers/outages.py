"""Tells a provider's outage, which a file waits out, from a file that is itself what the provider fails at.

An outage fails everybody. Whoever fails again and again while calls are answered is not waiting for an outage.
"""

from collections import OrderedDict
from collections.abc import Generator, Hashable
from contextlib import contextmanager
from dataclasses import dataclass

from providers.errors import ProviderPausedError, ProviderUnavailable

_WHILE_CALLS_ARE_ANSWERED = 30
"""Of five files that wait for a quota of one call a minute, one in a thousand is as unlucky as that.

The answers that a file itself got before it failed are among these calls: a file must ask less than that.
"""

_MOST = 1000


@dataclass(frozen=True)
class _Trouble:
    answered: int
    alone: int


class Outages:
    """Remembers of the last thousand that failed how things stood then. Belongs to one event loop and one gate."""

    def __init__(self) -> None:
        self._known: OrderedDict[Hashable, _Trouble] = OrderedDict()

    @contextmanager
    def as_pauses(self, who: Hashable) -> Generator[None, None, None]:
        """Inside, ``who`` asks the provider. A failure after which nobody may call becomes ``ProviderPausedError``:
        ``who`` is to wait like everybody else.

        ``ProviderUnavailable`` stays what it is where it is to count: the circuit is closed, or only ``who`` has been
        failing for long. Who comes through is forgotten, and starts anew the next time.
        """
        try:
            yield
        except ProviderUnavailable as error:
            if self._failures_alone(who, error.answered) < _WHILE_CALLS_ARE_ANSWERED and error.pause_s > 0:
                raise ProviderPausedError(str(error), error.pause_s) from error
            raise
        self._known.pop(who, None)

    def _failures_alone(self, who: Hashable, answered: int) -> int:
        """Counts this failure, if calls have been ``answered`` since the one before."""
        before = self._known.pop(who, _Trouble(answered, 0))
        alone = before.alone + (answered > before.answered)
        self._known[who] = _Trouble(answered, alone)
        if len(self._known) > _MOST:
            self._known.popitem(last=False)
        return alone
