"""Turns one Redis into limits for all instances of a service together: who may call next, and what the day has cost.

While it is away every process keeps to the same limits by itself, and says so in a metric and in the log.
"""

import math
import time
from collections.abc import Callable
from typing import Any

from limits import RateLimitItem, RateLimitItemPerSecond
from limits.aio.strategies import MovingWindowRateLimiter
from limits.storage import storage_from_string

from providers import metrics
from providers.optional_store import CONNECTION, OptionalStore

_NAMESPACE = "mmsearch.providers"
_KEPT_S = 2 * 86_400
"""How long a day's sum is there to be looked at."""

_SHORTEST_WAIT_S = 0.01


class SharedLimits:
    """Counters in ``redis://…``, for any number of processes. Belongs to one event loop; close it when done.

    Nothing here raises because the store is away: results are then None. ``clock`` returns seconds that only grow.
    """

    def __init__(self, url: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._storage: Any = storage_from_string(f"async+{url}", implementation="redispy", **CONNECTION)
        self._windows = MovingWindowRateLimiter(self._storage)
        self._store = OptionalStore("limits of all instances", metrics.limits_alone, clock)

    async def aclose(self) -> None:
        """Closes the connections."""
        await self._storage.bridge.storage.aclose()

    async def take(self, who: str, per_minute: float) -> float | None:
        """0 when one of the ``per_minute`` calls ``who`` may start in any minute was taken, else seconds to wait."""
        window = _window(per_minute)
        return await self._store.call(lambda: self._taken(window, who))

    async def add(self, purse: str, day: str, micro_usd: int) -> int | None:
        """What everybody has paid out of ``purse`` on that day, these micro-dollars included."""
        sum_of_day = f"{_NAMESPACE}/spent/{purse}/{day}"
        return await self._store.call(lambda: self._storage.incr(sum_of_day, _KEPT_S, amount=micro_usd))

    async def _taken(self, window: RateLimitItem, who: str) -> float:
        if await self._windows.hit(window, who):
            return 0.0
        free = await self._windows.get_window_stats(window, who)
        return max(free.reset_time - time.time(), _SHORTEST_WAIT_S)


def shared_limits(url: str) -> SharedLimits | None:
    """None for ``memory://``: then limits hold for each process."""
    return None if url == "memory://" else SharedLimits(url)


def _window(per_minute: float) -> RateLimitItem:
    """About ten calls at once and never more than ``per_minute`` in any minute: whole minutes consist of windows."""
    for seconds in (1, 2, 3, 5, 6, 10, 15, 20, 30):
        if per_minute * seconds / 60 >= 10:
            return RateLimitItemPerSecond(int(per_minute * seconds / 60), seconds, namespace=_NAMESPACE)
    seconds = math.ceil(max(60, 60 / per_minute))
    return RateLimitItemPerSecond(max(int(per_minute), 1), seconds, namespace=_NAMESPACE)
