"""What every service is told by its environment; each service's ``settings.py`` adds its own."""

from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, BeforeValidator, Field, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict


class ServiceSettings(BaseSettings):
    """Read once, by ``main.py``. Where Pub/Sub and Storage are is the official clients' own business:
    ``PUBSUB_EMULATOR_HOST`` and ``STORAGE_EMULATOR_HOST`` on one machine, Google's endpoints otherwise.
    """

    model_config = SettingsConfigDict(extra="ignore", frozen=True)

    host: str = "127.0.0.1"
    """Address to listen on; in a container ``0.0.0.0``."""
    port: int = 8080
    """Port to listen on; Cloud Run sets it."""
    google_cloud_project: str
    """Project of topics, subscriptions and buckets; on one machine any name."""
    uploads_bucket: str
    """Where originals lie; its notifications start the pipeline."""
    artifacts_bucket: str
    """Where thumbnails, previews and texts lie; it raises no notifications."""
    otel_exporter_otlp_endpoint: str | None = None
    """Where traces go (OTLP over HTTP), like ``http://jaeger:4318``; unset: nowhere."""
    push_audience: str | None = None
    """Set together with the account: messages arrive by push. Unset: streaming pull."""
    push_service_account: str = ""
    """Whose tokens push requests must carry."""
    push_auth: Literal["jwt", "cloud_run_iam"] = "jwt"
    """``cloud_run_iam``: Cloud Run has checked the caller and may have taken the signature off the token.
    Only for services that the public cannot call, which ``service_ingress`` must say."""
    service_ingress: Literal["public", "internal"] = "public"
    """``internal``: the platform lets nobody from outside in."""

    prometheus_multiproc_dir: Path | None = None
    """An empty directory that several processes of one service share, so that each shows the metrics of all."""
    traced_reads_per_second: float = Field(default=20, ge=0)
    """Of requests that only read, so many a second are traced; everything else always is."""

    mmsearch_version: str = "0.1.0"
    """What runs here; an image has both baked in, and ``/version`` tells."""
    mmsearch_revision: str = "source"
    """The commit it was built from."""


class SignInSettings(BaseSettings):
    """Whose bearer tokens are believed: one OpenID Connect issuer, or a Firebase project."""

    oidc_issuer: str | None = None
    """Exactly as tokens spell it."""
    oidc_client_id: str | None = None
    """Under which the page signs people in."""
    oidc_audience: str | None = None
    """What tokens must be meant for; without it the client id."""
    oidc_jwks_uri: str | None = None
    """Without it the issuer's discovery document tells."""
    oidc_authorization_endpoint: str | None = None
    """Where the page sends people to sign in."""
    oidc_token_endpoint: str | None = None
    """Unset: taken from the issuer's discovery document, and the page's content policy allows only the issuer's own
    origin."""
    firebase_project: str | None = None
    """In place of an issuer: people sign in by this project."""
    firebase_check_revoked: bool = False
    """Asks Firebase, once a minute for each user, whether they were disabled, removed or signed out everywhere since;
    the service's account then needs ``roles/firebaseauth.viewer``. Otherwise a token counts until it expires."""
    firebase_auth_emulator_host: str | None = None
    """Firebase's Auth emulator is asked in place of Google, at this ``host:port``."""

    @property
    def sign_in_origins(self) -> tuple[str, ...]:
        """Origins the page calls to exchange a code for a token; its content policy has to allow them."""
        endpoint = self.oidc_token_endpoint or self.oidc_issuer
        if endpoint is None or self.oidc_client_id is None:
            return ()
        parts = urlsplit(endpoint)
        return (f"{parts.scheme}://{parts.netloc}",)


def _split(value: object) -> object:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


class RateLimit(BaseModel):
    """Requests one caller may make: in a minute, and of these at most ``burst`` within a second."""

    per_minute: int = Field(ge=1)
    burst: int = Field(ge=1)


class RateLimits(BaseModel):
    """By tier; without a credential, or in a tier that is not named here, ``free`` counts."""

    free: RateLimit = RateLimit(per_minute=100, burst=20)
    pro: RateLimit = RateLimit(per_minute=1200, burst=100)
    enterprise: RateLimit = RateLimit(per_minute=6000, burst=500)

    def of(self, tier: str) -> RateLimit:
        """The limit of a tier."""
        return {"pro": self.pro, "enterprise": self.enterprise}.get(tier, self.free)


class EdgeSettings(BaseSettings):
    """How a service meets the public. Lists are separated by commas."""

    environment: Literal["local", "production"] = "local"
    """``production``: plain HTTP is refused, and browsers are told to keep to HTTPS."""
    trusted_proxies: Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode, BeforeValidator(_split)] = ()
    """Networks whose ``X-Forwarded-For`` and ``X-Forwarded-Proto`` are believed; ``0.0.0.0/0`` where only the
    platform's load balancer can connect at all."""
    cors_origins: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)] = ()
    """Other sites whose pages may call the API; the page of this system needs none."""
    rate_limit_store: str = "memory://"
    """``redis://…`` where several instances share the counters."""
    rate_limits: RateLimits = RateLimits()
    """Requests a minute and within a second by tier, as JSON."""

    @model_validator(mode="after")
    def _no_wildcard(self) -> Self:
        if "*" in self.cors_origins:
            raise ValueError("CORS_ORIGINS must name its origins")
        return self


class DatabaseSettings(ServiceSettings, SignInSettings, EdgeSettings):
    """For the two public services, which own a schema; the URL logs in as the service's own role."""

    database_url: str
    """``postgresql://…``, as the role of the service."""
    database_pool_size: int = Field(default=16, ge=2, le=200)
    """Connections one process opens at most, half of them for reading; upload-gateway has one more that listens, and
    one for each of its periodic jobs while it runs."""
    local_issuer_secret: str | None = None
    """Set on one machine only: tokens of the local issuer are accepted."""
