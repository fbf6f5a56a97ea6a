"""Object keys into signed links of a CDN before a private bucket: cached near the reader, for the bearer only."""

import base64
import hashlib
import hmac
from datetime import UTC, datetime, timedelta
from urllib.parse import quote


class SignedCdn:
    """Signs links the way Cloud CDN checks them for a backend bucket.

    ``origin`` is the CDN's address, like ``https://thumbnails.example.com``; ``key`` is the signing key as the CDN was
    given it, 16 bytes in URL-safe base64. Raises ``ValueError`` for any other key.
    """

    def __init__(self, origin: str, key_name: str, key: str) -> None:
        self._origin = origin.rstrip("/")
        self._key_name = key_name
        try:
            self._key = base64.urlsafe_b64decode(key.strip().encode())
        except ValueError as error:
            raise ValueError("the CDN's signing key is not URL-safe base64") from error
        if len(self._key) != 16:
            raise ValueError("the CDN's signing key is not 16 bytes long")

    def signed_url(self, key: str, expires: timedelta, *, now: datetime | None = None) -> str:
        """A link to the object ``key`` that works until ``expires`` from now (seconds are rounded up)."""
        ends = int(((now or datetime.now(UTC)) + expires).timestamp()) + 1
        unsigned = f"{self._origin}/{quote(key, safe='/')}?Expires={ends}&KeyName={self._key_name}"
        # SHA-1 is what the CDN computes; as a keyed hash it is not weakened by collisions.
        digest = hmac.new(self._key, unsigned.encode(), hashlib.sha1).digest()
        return f"{unsigned}&Signature={base64.urlsafe_b64encode(digest).decode()}"
