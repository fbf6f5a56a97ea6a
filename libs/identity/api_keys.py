"""API keys: 256 random bits behind a prefix, kept by everyone but their owner as a SHA-256."""

import hashlib
import re
import secrets

_FORM = re.compile(r"^sk_[A-Za-z0-9_-]{43}$")


def new_api_key() -> str:
    """A fresh key, shown to its owner once."""
    return "sk_" + secrets.token_urlsafe(32)


def is_well_formed(key: str) -> bool:
    """True for something that could be a key; nothing else needs looking up."""
    return _FORM.match(key) is not None


def hash_api_key(key: str) -> str:
    """What is stored and looked up: 64 hex characters. A fast hash is enough for 256 random bits."""
    return hashlib.sha256(key.encode()).hexdigest()
