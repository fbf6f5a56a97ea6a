"""A local OpenID Connect issuer over real HTTP: discovery, JWKS, RSA and EC keys, tokens good and bad, and the
authorization code flow with PKCE for whoever is signed in there.
"""

import base64
import hashlib
import json
import secrets
import time
from typing import Any
from urllib.parse import parse_qsl, urlencode

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from tests.wire_server import Reply, Request, WireServer

AUDIENCE = "mmsearch-page"
PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


class LocalIssuer:
    """``keys`` by id are what it publishes; ``asked`` counts requests by path.

    ``person`` is signed in there, None: nobody. A page of ``origin`` may trade a code for a token.
    """

    def __init__(self, max_age: int | None = 600) -> None:
        self.keys: dict[str, PrivateKey] = {"rsa-1": new_rsa(), "ec-1": ec.generate_private_key(ec.SECP256R1())}
        self.max_age = max_age
        self.extra_jwks: list[dict[str, Any]] = []
        self.asked: dict[str, int] = {}
        self.status = 200
        self.claimed_issuer: str | None = None
        self.person: str | None = "person-1"
        self.origin = ""
        self._codes: dict[str, dict[str, str]] = {}
        self._server = WireServer(self._answer)
        self.url = self._server.url

    def __enter__(self) -> "LocalIssuer":
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop()

    def token(
        self, kid: str = "rsa-1", key: PrivateKey | None = None, headers: dict[str, Any] | None = None, **claims: Any
    ) -> str:
        """A good token unless told otherwise; a claim given as None is left out."""
        now = int(time.time())
        all_claims = {"iss": self.url, "aud": AUDIENCE, "sub": "person-1", "iat": now, "exp": now + 600} | claims
        signing = key or self.keys[kid]
        algorithm = "RS256" if isinstance(signing, rsa.RSAPrivateKey) else "ES256"
        kept = {name: value for name, value in all_claims.items() if value is not None}
        return jwt.encode(kept, signing, algorithm, {"kid": kid} | (headers or {}))

    def jwks(self) -> dict[str, Any]:
        return {"keys": [public_jwk(kid, key) for kid, key in self.keys.items()] + self.extra_jwks}

    def authorized(self, query: str) -> str:
        """Where the browser is sent back to."""
        asked = dict(parse_qsl(query))
        answer = {"state": asked["state"]}
        if asked["client_id"] == AUDIENCE and asked["code_challenge_method"] == "S256" and self.person:
            code = secrets.token_urlsafe()
            self._codes[code] = {**asked, "sub": self.person}
            answer["code"] = code
        else:
            answer["error"] = "login_required"
        return f"{asked['redirect_uri']}?{urlencode(answer)}"

    def traded(self, form: str) -> dict[str, Any] | None:
        """Tokens for a code, once, and only to whom it was given."""
        sent = dict(parse_qsl(form))
        asked = self._codes.pop(sent.get("code", ""), None)
        digest = hashlib.sha256(sent.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if asked is None or (asked["code_challenge"], asked["redirect_uri"]) != (challenge, sent["redirect_uri"]):
            return None
        return {"id_token": self.token(sub=asked["sub"]), "token_type": "Bearer", "expires_in": 600}

    def _answer(self, request: Request) -> Reply:
        if request.method == "POST":
            tokens = self.traded(request.body.decode())
            body = json.dumps(tokens or {"error": "invalid_grant"}).encode()
            return Reply(200 if tokens else 400, body, {"access-control-allow-origin": self.origin})
        self.asked[request.target] = self.asked.get(request.target, 0) + 1
        if request.path == "/authorize":
            return Reply(303, headers={"location": self.authorized(request.target.partition("?")[2])})
        published = {"/.well-known/openid-configuration": self._discovery(), "/jwks": self.jwks()}
        headers = {} if self.max_age is None else {"cache-control": f"public, max-age={self.max_age}"}
        if request.target not in published:
            return Reply(404, headers=headers)
        return Reply(self.status, json.dumps(published[request.target]).encode(), headers)

    def _discovery(self) -> dict[str, Any]:
        return {
            "issuer": self.claimed_issuer or self.url,
            "jwks_uri": f"{self.url}/jwks",
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
        }


def new_rsa(bits: int = 2048) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, bits)


def public_jwk(kid: str, key: PrivateKey) -> dict[str, Any]:
    algorithm = jwt.get_algorithm_by_name("RS256" if isinstance(key, rsa.RSAPrivateKey) else "ES256")
    described: dict[str, Any] = json.loads(algorithm.to_jwk(key.public_key()))
    described.pop("key_ops", None)
    return described | {"kid": kid, "use": "sig"}


def public_pem(key: PrivateKey) -> bytes:
    return key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def unsigned(token: str, **header: Any) -> str:
    """The same claims under another header and no signature."""
    first = base64.urlsafe_b64encode(json.dumps(header).encode()).rstrip(b"=").decode()
    return f"{first}.{token.split('.')[1]}."
