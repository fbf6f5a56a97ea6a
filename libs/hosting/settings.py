"""What every service is told by its environment; each service's ``settings.py`` adds its own."""

from pathlib import Path

from pydantic_settings import BaseSettings, SettingsConfigDict


class ServiceSettings(BaseSettings):
    """Read once, by ``main.py``. Where Pub/Sub and Storage are is the official clients' own business:
    ``PUBSUB_EMULATOR_HOST`` and ``STORAGE_EMULATOR_HOST`` on one machine, Google's endpoints otherwise.
    """

    model_config = SettingsConfigDict(extra="ignore", frozen=True)

    host: str = "127.0.0.1"
    port: int = 8080
    google_cloud_project: str
    uploads_bucket: str
    artifacts_bucket: str
    otel_exporter_otlp_endpoint: str | None = None
    push_audience: str | None = None
    """Set together with the account: messages arrive by push. Unset: streaming pull."""
    push_service_account: str = ""
    signing_key_file: Path | None = None
    """A service account's key, where the platform cannot sign URLs by itself (one machine)."""


class DatabaseSettings(ServiceSettings):
    """For the two services that own a schema; the URL logs in as the service's own role."""

    database_url: str
    local_issuer_secret: str | None = None
    """Set on one machine only: tokens of the local issuer are accepted."""
