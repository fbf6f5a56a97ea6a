"""The issuer of one machine: short-lived HS256 tokens for the one local user, signed with a secret of this machine."""

from datetime import UTC, datetime, timedelta

import jwt

ISSUER = "mmsearch-local"
AUDIENCE = "mmsearch"
LIFETIME = timedelta(hours=12)


def issue(secret: str, user_id: str) -> str:
    """A bearer token for ``user_id``."""
    now = datetime.now(UTC)
    claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": user_id, "iat": now, "exp": now + LIFETIME}
    return jwt.encode(claims, secret, algorithm="HS256")


def subject(secret: str, token: str) -> str | None:
    """The user id inside a valid token of this issuer, or None."""
    try:
        claims = jwt.decode(
            token,
            secret,
            algorithms=["HS256"],
            audience=AUDIENCE,
            issuer=ISSUER,
            options={"require": ["exp", "iat", "sub"]},
        )
    except jwt.PyJWTError:
        return None
    return str(claims["sub"])
