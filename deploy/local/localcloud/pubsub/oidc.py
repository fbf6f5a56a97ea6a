"""The identity tokens of push requests: RS256 JWTs with Google's claims, signed by a key of this data directory.

Turns (service account, audience) into a token, and the key into the JWKS that verifies it.
"""

import hashlib
import json
import os
import time
from pathlib import Path

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

ISSUER = "https://accounts.google.com"
_LIFETIME = 3600
_RENEW_BEFORE = 600


class TokenSigner:
    """One RSA key, made at first use and kept."""

    def __init__(self, key_file: Path) -> None:
        self._key = _load_or_create(key_file)
        public = RSAAlgorithm.to_jwk(self._key.public_key(), as_dict=True)
        self._key_id = hashlib.sha256(json.dumps(public, sort_keys=True).encode()).hexdigest()[:40]
        self._public = {**public, "kid": self._key_id, "use": "sig", "alg": "RS256"}
        self._tokens: dict[tuple[str, str], tuple[float, str]] = {}

    def jwks(self) -> bytes:
        """The JSON Web Key Set."""
        return json.dumps({"keys": [self._public]}).encode()

    def token(self, email: str, audience: str) -> str:
        """A token that is valid for at least ten more minutes."""
        now = time.time()
        expires, token = self._tokens.get((email, audience), (0.0, ""))
        if expires - _RENEW_BEFORE <= now:
            expires, token = now + _LIFETIME, self._sign(email, audience, int(now))
            self._tokens[email, audience] = expires, token
        return token

    def _sign(self, email: str, audience: str, now: int) -> str:
        subject = str(int(hashlib.sha256(email.encode()).hexdigest(), 16))[:21]
        claims = {
            "iss": ISSUER,
            "aud": audience,
            "azp": subject,
            "sub": subject,
            "email": email,
            "email_verified": True,
            "iat": now,
            "exp": now + _LIFETIME,
        }
        return jwt.encode(claims, self._key, algorithm="RS256", headers={"kid": self._key_id})


def _load_or_create(key_file: Path) -> rsa.RSAPrivateKey:
    if key_file.exists():
        key = serialization.load_pem_private_key(key_file.read_bytes(), password=None)
        if isinstance(key, rsa.RSAPrivateKey):
            return key
        raise ValueError(f"{key_file} does not hold an RSA key.")
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    unfinished = key_file.with_suffix(".new")
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(pem)
    unfinished.replace(key_file)
    return key
