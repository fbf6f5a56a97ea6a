"""Keys and ids just looked up into their principals, for a few seconds, so that not every request asks the database."""

import time
from collections import OrderedDict
from collections.abc import Callable

from identity.principal import Principal


class RememberedPrincipals:
    """At most ``most`` principals by the name they were found under, each for ``seconds``.

    Only principals that were found are kept: a new key works at once, and made-up keys fill nothing.
    """

    def __init__(self, seconds: float, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._most = most
        self._clock = clock
        self._known: OrderedDict[str, tuple[float, Principal]] = OrderedDict()

    def recall(self, name: str) -> Principal | None:
        """The principal, unless it was found too long ago."""
        until, principal = self._known.get(name, (0.0, None))
        return principal if self._clock() < until else None

    def remember(self, name: str, principal: Principal) -> None:
        """From now on; the one found longest ago is forgotten when there are too many."""
        self._known[name] = (self._clock() + self._seconds, principal)
        self._known.move_to_end(name)
        while len(self._known) > self._most:
            self._known.popitem(last=False)

    def forget(self, name: str) -> None:
        """It is looked up anew."""
        self._known.pop(name, None)

    def forget_user(self, user_id: str) -> None:
        """Every name of a user is looked up anew."""
        for name in [name for name, (_, known) in self._known.items() if known.user_id == user_id]:
            del self._known[name]
