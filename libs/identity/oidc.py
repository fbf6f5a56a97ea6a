"""Turns a bearer token of one configured OpenID Connect issuer into verified claims, or into nothing.

Keys come from that issuer alone: what a token says about where to find its key (``jku``, ``x5u``, ``jwk``) is not read.
"""

import base64
import hashlib
from dataclasses import dataclass
from typing import Any

import jwt
from pydantic import BaseModel, ConfigDict, ValidationError

from hosting.settings import SignInSettings
from identity.revocation import FirebaseAccounts
from identity.signing_keys import Discovery, SigningKeys

ALGORITHMS = ("RS256", "ES256")
LEEWAY_S = 30.0
MAX_TOKEN_CHARACTERS = 16_384
_TYPES = frozenset({"jwt", "at+jwt", "application/at+jwt"})
_REQUIRED = ["iss", "aud", "exp", "iat", "sub"]
_FIREBASE_ISSUER = "https://securetoken.google.com/"
_FIREBASE_KEYS = "https://www.googleapis.com/service_accounts/v1/jwk/securetoken@system.gserviceaccount.com"


@dataclass(frozen=True)
class Issuer:
    """Whose tokens are believed, which of them are meant for us, and where the page signs people in.

    What is None is read from the issuer's discovery document.
    """

    issuer: str
    audience: str
    jwks_uri: str | None = None
    client_id: str | None = None
    authorization_endpoint: str | None = None
    token_endpoint: str | None = None


@dataclass(frozen=True)
class VerifiedUser:
    """Whom a token names; ``email`` only where the issuer says that it was verified."""

    user_id: str
    email: str | None


class _Claims(BaseModel):
    model_config = ConfigDict(extra="ignore")

    sub: str
    aud: str | list[str]
    iat: float
    azp: str | None = None
    email: str | None = None
    email_verified: bool = False


def firebase(project: str) -> Issuer:
    """ID tokens of Firebase Authentication for one project."""
    return Issuer(_FIREBASE_ISSUER + project, project, _FIREBASE_KEYS)


def configured_issuer(settings: SignInSettings) -> Issuer | None:
    """The issuer the environment names; None where there is none. Raises ``ValueError`` for half a configuration."""
    if settings.firebase_project:
        return firebase(settings.firebase_project)
    if settings.oidc_issuer is None:
        return None
    audience = settings.oidc_audience or settings.oidc_client_id
    if not audience:
        raise ValueError("OIDC_ISSUER needs OIDC_AUDIENCE or OIDC_CLIENT_ID")
    return Issuer(
        settings.oidc_issuer,
        audience,
        settings.oidc_jwks_uri,
        settings.oidc_client_id,
        settings.oidc_authorization_endpoint,
        settings.oidc_token_endpoint,
    )


def configured_verifier(settings: SignInSettings) -> "OidcVerifier | None":
    """The verifier of the issuer the environment names. Raises ``ValueError`` as :func:`configured_issuer` does."""
    issuer, project = configured_issuer(settings), settings.firebase_project
    if settings.firebase_check_revoked and not project:
        raise ValueError("FIREBASE_CHECK_REVOKED needs FIREBASE_PROJECT")
    if issuer is None:
        return None
    checked = FirebaseAccounts(project, settings.firebase_auth_emulator_host) if project else None
    return OidcVerifier(issuer, accounts=checked if settings.firebase_check_revoked else None)


def user_id_of(issuer: str, subject: str) -> str:
    """The same id for the same person for ever, on every service; fits ``contracts.identifiers``."""
    digest = hashlib.sha256(f"{issuer}\x00{subject}".encode()).digest()
    return "usr_" + base64.b32encode(digest).decode().lower()[:26]


class OidcVerifier:
    """Verifies tokens of one issuer: signature, algorithm, type, issuer, audience, times, subject; with ``accounts``
    also that they were not revoked.
    """

    def __init__(
        self, issuer: Issuer, keys: SigningKeys | None = None, accounts: FirebaseAccounts | None = None
    ) -> None:
        self.issuer = issuer
        self._accounts = accounts
        self._keys = keys or SigningKeys(issuer.issuer, issuer.jwks_uri)

    async def verify(self, token: str) -> VerifiedUser | None:
        """Whom the token names; None when it is not valid here.

        Raises ``KeysUnavailableError`` and ``AccountsUnavailableError``.
        """
        header = _header(token)
        if header is None or header.get("alg") not in ALGORITHMS:
            return None
        kid = header.get("kid")
        if kid is not None and not isinstance(kid, str):
            return None
        key = await self._keys.find(kid)
        if key is None or key.algorithm != header["alg"]:
            return None
        try:
            claims = _Claims.model_validate(
                jwt.decode(
                    token,
                    key.key,
                    algorithms=[key.algorithm],
                    audience=self.issuer.audience,
                    issuer=self.issuer.issuer,
                    leeway=LEEWAY_S,
                    options={"require": _REQUIRED},
                )
            )
        except (jwt.PyJWTError, ValidationError):
            return None
        if self._accounts is not None and await self._accounts.revoked(claims.sub, claims.iat):
            return None
        return self._user(claims)

    async def discovery(self) -> Discovery:
        """Where people sign in. Raises ``KeysUnavailableError``."""
        return await self._keys.discovery()

    def _user(self, claims: _Claims) -> VerifiedUser | None:
        audience = self.issuer.audience
        shared = isinstance(claims.aud, list) and len(claims.aud) > 1
        if not claims.sub or len(claims.sub) > 255 or (shared and claims.azp not in (None, audience)):
            return None
        email = claims.email if claims.email_verified and claims.email and len(claims.email) <= 320 else None
        return VerifiedUser(user_id_of(self.issuer.issuer, claims.sub), email)


def _header(token: str) -> dict[str, Any] | None:
    if len(token) > MAX_TOKEN_CHARACTERS:
        return None
    try:
        header = jwt.get_unverified_header(token)
    except jwt.PyJWTError:
        return None
    declared = header.get("typ", "JWT")
    known = isinstance(declared, str) and declared.lower() in _TYPES
    return header if known and "crit" not in header else None
