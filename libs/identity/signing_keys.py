"""Fetches and keeps the public keys of one OpenID Connect issuer: its discovery document and JWKS into keys by id."""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx2
import jwt
import structlog
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from pydantic import BaseModel, ConfigDict, ValidationError

REFETCH_S = 30.0
"""At least this long lies between two fetches, whatever tokens ask for and whether or not the first one failed."""
KEPT_AT_LEAST_S, KEPT_UNLESS_TOLD_S, KEPT_AT_MOST_S = 300.0, 3600.0, 86_400.0
_FRESH_SHARE = 0.8
"""After this share of their life keys are fetched anew, while the old ones still serve if that fails."""
_TIMEOUT_S = 5.0
_MAX_BYTES = 1024 * 1024
_MIN_RSA_BITS = 2048

_log = structlog.get_logger()


class KeysUnavailableError(ConnectionError):
    """The issuer's keys cannot be had right now; no token can be believed without them."""


class Discovery(BaseModel):
    """What is used of ``{issuer}/.well-known/openid-configuration``."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    issuer: str
    jwks_uri: str
    authorization_endpoint: str | None = None
    token_endpoint: str | None = None
    end_session_endpoint: str | None = None


@dataclass(frozen=True)
class SigningKey:
    """A public key and the one algorithm it is used with: RS256 or ES256."""

    algorithm: str
    key: rsa.RSAPublicKey | ec.EllipticCurvePublicKey


@dataclass(frozen=True)
class _Fetched:
    at: float
    lives_s: float
    keys: Mapping[str | None, SigningKey]


class SigningKeys:
    """Keys of ``issuer``, from ``jwks_uri`` or, without one, from where its discovery document says."""

    def __init__(
        self, issuer: str, jwks_uri: str | None = None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._issuer = issuer
        self._jwks_uri = jwks_uri
        self._clock = clock
        self._fetched: _Fetched | None = None
        self._tried_at = float("-inf")
        self._asked_at = float("-inf")
        self._discovery: Discovery | None = None
        self._lock = asyncio.Lock()

    async def find(self, kid: str | None) -> SigningKey | None:
        """The key of that id; None when the issuer has no such key. Raises ``KeysUnavailableError``.

        A token without ``kid`` is only checked where the issuer has exactly one key.
        """
        keys = await self._keys(kid)
        if kid is None:
            return next(iter(keys.values())) if len(keys) == 1 else None
        return keys.get(kid)

    async def discovery(self) -> Discovery:
        """The issuer's discovery document, kept once read. Raises ``KeysUnavailableError``."""
        async with self._lock:
            if self._discovery is None:
                if self._clock() - self._asked_at < REFETCH_S:
                    raise KeysUnavailableError("the issuer did not answer a moment ago")
                self._asked_at = self._clock()
                async with _client() as client:
                    return await self._discover(client)
            return self._discovery

    async def _keys(self, kid: str | None) -> Mapping[str | None, SigningKey]:
        if self._wants_fetch(kid) or (self._lock.locked() and not self._knows(kid)):
            async with self._lock:
                if self._wants_fetch(kid):
                    await self._fetch()
        fetched = self._fetched
        if fetched is None or self._clock() - fetched.at > fetched.lives_s:
            raise KeysUnavailableError("the issuer's keys are not known")
        return fetched.keys

    def _knows(self, kid: str | None) -> bool:
        fetched = self._fetched
        return fetched is not None and self._clock() - fetched.at <= fetched.lives_s and kid in (None, *fetched.keys)

    def _wants_fetch(self, kid: str | None) -> bool:
        if self._clock() - self._tried_at < REFETCH_S:
            return False
        fetched = self._fetched
        if fetched is None or self._clock() - fetched.at > fetched.lives_s * _FRESH_SHARE:
            return True
        return kid is not None and kid not in fetched.keys

    async def _fetch(self) -> None:
        self._tried_at = self._clock()
        try:
            async with _client() as client:
                uri = self._jwks_uri or (await self._discover(client)).jwks_uri
                body, lives_s = await _get(client, uri)
            keys = _parse(jwt.PyJWKSet.from_json(body.decode()))
        except (httpx2.HTTPError, ValueError, ValidationError, jwt.PyJWTError, KeysUnavailableError) as error:
            _log.warning(
                "issuer's keys not fetched", issuer=self._issuer, reason=f"{type(error).__name__}: {error}"[:300]
            )
            return
        self._fetched = _Fetched(self._clock(), lives_s, keys)

    async def _discover(self, client: httpx2.AsyncClient) -> Discovery:
        try:
            body, _ = await _get(client, self._issuer.rstrip("/") + "/.well-known/openid-configuration")
            found = Discovery.model_validate_json(body)
        except (httpx2.HTTPError, ValidationError) as error:
            raise KeysUnavailableError(f"no discovery document: {type(error).__name__}") from error
        if found.issuer != self._issuer:
            raise KeysUnavailableError(f"the discovery document is of another issuer: {found.issuer[:200]}")
        if urlsplit(found.jwks_uri).scheme != "https" and urlsplit(self._issuer).scheme == "https":
            raise KeysUnavailableError("the discovery document leads to keys without TLS")
        self._discovery = found
        return found


def _client() -> httpx2.AsyncClient:
    return httpx2.AsyncClient(timeout=_TIMEOUT_S, follow_redirects=False)


async def _get(client: httpx2.AsyncClient, url: str) -> tuple[bytes, float]:
    """Body and the seconds it may be kept."""
    async with client.stream("GET", url, headers={"Accept": "application/json"}) as response:
        response.raise_for_status()
        body = bytearray()
        async for chunk in response.aiter_bytes():
            body += chunk
            if len(body) > _MAX_BYTES:
                raise KeysUnavailableError("the issuer's answer is too long")
        return bytes(body), _lifetime(response.headers.get("cache-control", ""))


def _lifetime(cache_control: str) -> float:
    for directive in cache_control.lower().split(","):
        name, _, value = directive.strip().partition("=")
        if name == "max-age" and value.isdecimal():
            return min(max(float(value), KEPT_AT_LEAST_S), KEPT_AT_MOST_S)
    return KEPT_UNLESS_TOLD_S


def _parse(found: jwt.PyJWKSet) -> dict[str | None, SigningKey]:
    keys: dict[str | None, SigningKey] = {}
    for jwk in found.keys:
        algorithm = _algorithm(jwk.key)
        declared: Any = jwk.algorithm_name
        if jwk.public_key_use in (None, "sig") and algorithm and declared == algorithm:
            keys[jwk.key_id] = SigningKey(algorithm, jwk.key)
    return keys


def _algorithm(key: object) -> str | None:
    if isinstance(key, rsa.RSAPublicKey) and key.key_size >= _MIN_RSA_BITS:
        return "RS256"
    if isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name == "secp256r1":
        return "ES256"
    return None
