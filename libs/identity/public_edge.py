"""Puts between the public and an application what every public service has: addresses, headers, CORS, rate limits."""

from fastapi import FastAPI
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware

from hosting.forwarded import ForwardedClient
from hosting.security_headers import SecurityHeaders
from hosting.settings import EdgeSettings
from identity.principal import Authenticator
from identity.rate_limits import RateLimited, RateLimiter

_EXPOSED = (
    "Idempotent-Replay", "Location", "RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset", "Retry-After",
    "X-Request-ID", "X-Trace-Id",
)  # fmt: skip


def guard(app: FastAPI, settings: EdgeSettings, authenticator: Authenticator) -> None:
    """To be called before the application starts; inside of what counts requests and names them."""
    app.state.authenticator = authenticator
    limiter = RateLimiter(settings.rate_limit_store, settings.rate_limits)
    app.user_middleware += [
        Middleware(ForwardedClient, trusted=settings.trusted_proxies),
        Middleware(SecurityHeaders, docs_path=app.docs_url or "", https_only=settings.environment == "production"),
        *_cross_origin(settings),
        Middleware(RateLimited, limiter=limiter, authenticator=authenticator),
    ]


def _cross_origin(settings: EdgeSettings) -> list[Middleware]:
    """Nothing where no other site may call; credentials travel in headers, never in cookies."""
    if not settings.cors_origins:
        return []
    return [
        Middleware(
            CORSMiddleware,
            allow_origins=list(settings.cors_origins),
            allow_methods=["GET", "HEAD", "POST", "PUT", "DELETE"],
            allow_headers=[
                "Authorization",
                "Content-Type",
                "Idempotency-Key",
                "Last-Event-ID",
                "X-API-Key",
                "X-Request-ID",
            ],
            expose_headers=list(_EXPOSED),
            max_age=600,
        )
    ]
