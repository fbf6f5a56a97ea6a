"""Pure ASGI middleware: so many requests a minute per user, or per address without one, and how many are left."""

import asyncio
import math
import re
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Self

from limits import RateLimitItem, RateLimitItemPerMinute, RateLimitItemPerSecond
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter
from limits.storage import storage_from_string
from prometheus_client import Counter
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hosting.answers import ApiError, error_response
from hosting.app import API_ROOT
from hosting.forwarded import client_address
from hosting.settings import RateLimit, RateLimits
from identity.principal import Authenticator, Principal, credentials_of
from providers.optional_store import CONNECTION, OptionalStore

_THUMBNAIL = re.compile(re.escape(API_ROOT) + r"/file/[^/]+/thumbnail")
_REFUSED = Counter("rate_limited", "Requests refused with 429", ["tier"])
_STORE_ERRORS = Counter("rate_limit_store_errors", "Requests let through because the counters were not there")
_NAMESPACE = "mmsearch"
SWEEP_S = 1.0
"""A counter that has run out counts for nothing at once, and takes up memory for so much longer."""


@dataclass(frozen=True)
class _Allowed:
    """What one tier may do, as the library counts it."""

    limit: RateLimit
    minute: RateLimitItem
    second: RateLimitItem

    @classmethod
    def by(cls, limit: RateLimit) -> Self:
        """The two windows of a limit."""
        minute = RateLimitItemPerMinute(limit.per_minute, namespace=_NAMESPACE)
        return cls(limit, minute, RateLimitItemPerSecond(limit.burst, namespace=_NAMESPACE))


@dataclass(frozen=True)
class _Standing:
    """How a caller stands after this request; ``reset_s`` until the window is free again."""

    allowed: bool
    limit: RateLimit
    remaining: int
    reset_s: int


class Counters(MemoryStorage):
    """The library's counters in memory, looked through for old ones once in a while.

    The library looks through those of all callers twice at every request.
    """

    STORAGE_SCHEME = None

    async def _MemoryStorage__expire_events(self) -> None:  # noqa: N802 - private to the library, which calls it
        # The library begins the next sweep when this one is over.
        await asyncio.sleep(SWEEP_S)
        now = time.time()
        for key in [key for key, until in self.expirations.items() if until <= now]:
            await self.clear(key)


class RateLimiter:
    """Counts requests in ``memory://`` or ``redis://…``; counts none while that is away."""

    def __init__(self, store: str, limits: RateLimits) -> None:
        remote = not store.startswith("memory:")
        storage: Any = Counters()
        if remote:
            storage = storage_from_string(f"async+{store}", implementation="redispy", **CONNECTION)
        self._connections: Any = storage.bridge.storage if remote else None
        self._store = OptionalStore("rate limits")
        self._strategy = SlidingWindowCounterRateLimiter(storage)
        self._free = _Allowed.by(limits.free)
        self._tiers = {tier: _Allowed.by(limits.of(tier)) for tier in type(limits).model_fields}

    async def close(self) -> None:
        """Closes the connections to a remote store."""
        if self._connections is not None:
            await self._connections.aclose()

    async def count(self, caller: str, tier: str) -> _Standing | None:
        """One more request of ``caller``, who is in ``tier``; None when the counters are away."""
        allowed = self._tiers.get(tier, self._free)
        return await self._store.call(partial(self._counted, caller, allowed))

    async def _counted(self, caller: str, allowed: _Allowed) -> _Standing:
        for item in (allowed.second, allowed.minute):
            if not await self._strategy.hit(item, caller):
                return await self._standing(item, caller, allowed.limit, allowed=False)
        return await self._standing(allowed.minute, caller, allowed.limit, allowed=True)

    async def _standing(self, item: RateLimitItem, caller: str, limit: RateLimit, *, allowed: bool) -> _Standing:
        window = await self._strategy.get_window_stats(item, caller)
        reset_s = max(math.ceil(window.reset_time - time.time()), 1)
        return _Standing(allowed, limit, max(window.remaining, 0) if allowed else 0, reset_s)


class RateLimited:
    """Finds out who asks (once: routes find the principal in the request's state), counts, refuses or passes on.

    Everything outside the API goes free: health, metrics, the page's own files, pushed events. So do thumbnails of
    somebody known, or one screen of results would use up a minute.
    """

    def __init__(self, app: ASGIApp, limiter: RateLimiter, authenticator: Authenticator) -> None:
        self._app = app
        self._limiter = limiter
        self._authenticator = authenticator

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] == "lifespan":
            try:
                await self._app(scope, receive, send)
            finally:
                await self._limiter.close()
            return
        if scope["type"] not in ("http", "websocket") or not scope["path"].startswith(API_ROOT + "/"):
            await self._app(scope, receive, send)
            return
        standing = await self._standing(scope)
        if standing is None:
            await self._app(scope, receive, send)
            return

        async def send_with_limits(message: Message) -> None:
            if message["type"] in ("http.response.start", "websocket.http.response.start"):
                message["headers"] = [*message["headers"], *_headers(standing)]
            await send(message)

        if standing.allowed:
            await self._app(scope, receive, send_with_limits)
        else:
            await _too_many(standing)(scope, receive, send_with_limits)

    async def _standing(self, scope: Scope) -> _Standing | None:
        """None where nothing is counted, or the counters are away: better too many requests than none."""
        principal = await self._principal(scope)
        if principal and _THUMBNAIL.fullmatch(scope["path"]):
            return None
        tier = principal.tier if principal else "free"
        caller = f"user:{principal.user_id}" if principal else f"address:{client_address(scope)}"
        standing = await self._limiter.count(caller, tier)
        if standing is None:
            _STORE_ERRORS.inc()
        elif not standing.allowed:
            _REFUSED.labels(tier if principal else "anonymous").inc()
        return standing

    async def _principal(self, scope: Scope) -> Principal | None:
        key, token = credentials_of(Headers(scope=scope), scope.get("subprotocols", ()))
        find: Callable[[], Awaitable[Principal | None]]
        if key:
            find = lambda: self._authenticator.by_api_key(key)  # noqa: E731
        elif token:
            find = lambda: self._authenticator.by_bearer(token)  # noqa: E731
        else:
            return None
        try:
            principal = await find()
        except ConnectionError:
            return None  # the route asks again, and says what is away
        if principal is not None:
            scope.setdefault("state", {})["principal"] = principal
        return principal


def _headers(standing: _Standing) -> list[tuple[bytes, bytes]]:
    limit = standing.limit
    return [
        (b"ratelimit-limit", b"%d" % limit.per_minute),
        (b"ratelimit-remaining", b"%d" % standing.remaining),
        (b"ratelimit-reset", b"%d" % standing.reset_s),
        (b"ratelimit-policy", b"%d;w=60, %d;w=1" % (limit.per_minute, limit.burst)),
    ]


def _too_many(standing: _Standing) -> ASGIApp:
    limit = standing.limit
    message = f"At most {limit.per_minute} requests a minute and {limit.burst} a second. Try again shortly."
    return error_response(ApiError(429, "rate_limited", message, headers={"Retry-After": str(standing.reset_s)}))
