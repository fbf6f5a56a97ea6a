"""Tells a provider's outage, which a file waits out, from a file that is itself what the provider fails at.

An outage fails everybody. Whoever fails again and again while others are answered is not waiting for an outage.
"""

from collections import OrderedDict
from dataclasses import dataclass

from providers.errors import ProviderPausedError, ProviderUnavailable

_WHILE_OTHERS_ARE_ANSWERED = 30
"""Of five files that wait for a quota of one call a minute, one in a thousand is as unlucky as that."""

_MOST = 1000


@dataclass(frozen=True)
class _Trouble:
    answered: int
    alone: int


class Outages:
    """Remembers of the last thousand that failed how things stood then. Belongs to one event loop and one gate."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, _Trouble] = OrderedDict()

    def wait_out(self, who: str, error: ProviderUnavailable) -> None:
        """Raises ``ProviderPausedError`` where ``who`` is to wait like everybody else, since nobody may call now.

        Returns where the failure is to count: the circuit is closed, or only ``who`` has been failing for long.
        """
        before = self._known.pop(who, _Trouble(error.answered, 0))
        alone = before.alone + (error.answered > before.answered)
        self._known[who] = _Trouble(error.answered, alone)
        if len(self._known) > _MOST:
            self._known.popitem(last=False)
        if error.pause_s > 0 and alone < _WHILE_OTHERS_ARE_ANSWERED:
            raise ProviderPausedError(str(error), error.pause_s) from error
