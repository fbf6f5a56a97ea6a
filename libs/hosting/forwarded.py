"""Pure ASGI middleware: what trusted proxies say about the client becomes the request's address and scheme."""

from collections.abc import Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

Network = IPv4Network | IPv6Network
_LONGEST = 64
"""Characters; more is no address, even with a zone."""
_SCHEMES = {"http": {"http": "http", "https": "https"}, "websocket": {"http": "ws", "https": "wss"}}


class ForwardedClient:
    """``X-Forwarded-For`` is read from its end for as long as trusted proxies wrote it; nobody else is believed."""

    def __init__(self, app: ASGIApp, trusted: Sequence[Network]) -> None:
        self._app = app
        self._trusted = tuple(trusted)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if self._trusted and scope["type"] in _SCHEMES and self._trusts(_address(scope)):
            headers = Headers(scope=scope)
            if chain := headers.getlist("x-forwarded-for"):
                client = self._client(",".join(chain))
                scope["client"] = scope["client"] if client is None else (client, 0)
            if proto := headers.get("x-forwarded-proto"):
                named = proto.split(",")[-1].strip().lower()
                scope["scheme"] = _SCHEMES[scope["type"]].get(named, scope["scheme"])
        await self._app(scope, receive, send)

    def _client(self, chain: str) -> str | None:
        """The last address in the chain that is not one of our proxies; the first one if all are."""
        farthest: str | None = None
        for part in reversed(chain.split(",")):
            address = _parsed(part.strip())
            if address is None:
                break
            farthest = str(address)
            if not self._trusts(address):
                break
        return farthest

    def _trusts(self, address: IPv4Address | IPv6Address | None) -> bool:
        return address is not None and any(address in network for network in self._trusted)


def client_address(scope: Scope) -> str:
    """The address a request is counted under: an IPv6 network of one customer (/64) counts as one."""
    address = _address(scope)
    if address is None:
        return "unknown"
    if isinstance(address, IPv6Address):
        return str(IPv6Network((int(address) >> 64 << 64, 64)))
    return str(address)


def _address(scope: Scope) -> IPv4Address | IPv6Address | None:
    client = scope.get("client")
    return _parsed(client[0]) if client else None


def _parsed(text: str) -> IPv4Address | IPv6Address | None:
    return _read(text) if len(text) <= _LONGEST else None


@lru_cache(maxsize=1024)  # mostly the same few proxies
def _read(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
