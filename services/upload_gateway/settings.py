"""What the environment says about this process, beyond what every service is told."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings

from hosting.settings import DatabaseSettings
from objectstore.cdn import SignedCdn
from upload_gateway.quota import DailyQuotas
from upload_gateway.repair.limits import RepairLimits
from upload_gateway.retention import Retention

MIB = 1024 * 1024


class Settings(DatabaseSettings):
    """Read once, by ``main.py``. ``max_file_size`` in bytes."""

    max_file_size: int = Field(default=100 * MIB, ge=1)
    """Bytes; larger files are refused."""
    daily_uploads_free: int = Field(default=100, ge=0)
    """Files a user of the tier may add, or process again, in a day (UTC)."""
    daily_uploads_pro: int = Field(default=1000, ge=0)
    """The same, tier ``pro``."""
    daily_uploads_enterprise: int = Field(default=10_000, ge=0)
    """The same, tier ``enterprise``."""
    purge_every_s: float = Field(default=3600, gt=0)
    """Seconds between rounds of removing what cannot be undone any more."""
    deleted_kept_days: float = Field(default=30, ge=0)
    """How long a deletion can be undone."""
    leftovers_kept_days: float = Field(default=1, ge=0)
    """How long what was derived from replaced or removed files stays."""
    tombstones_kept_days: float = Field(default=32, ge=0)
    """How long it is remembered that a removed file was there."""
    local_user_id: str = "local-user"
    """The one user of one machine; signed in without a password where there is a local issuer."""
    signing_key_file: Path | None = None
    """A service account's key, where the platform cannot sign URLs by itself (one machine)."""
    storage_emulator_host: str | None = None
    """Where signed URLs lead in place of Google; one machine only."""
    thumbnail_cdn: str | None = None
    """Address of a CDN in front of the artifacts bucket, like ``https://thumbnails.example.com``; needs the key."""
    cdn_key_name: str = "mmsearch"
    """Name of the key at the CDN."""
    cdn_signing_key: SecretStr | None = None
    """The key itself, 16 bytes in URL-safe base64; needed with ``thumbnail_cdn``."""

    sweep_after_s: float = Field(default=900, gt=0)
    """An upload silent for so long is seen to; then at twice the interval each time."""
    sweep_every_s: float = Field(default=60, gt=0)
    """Seconds between looks for silent uploads."""
    sweep_attempts: int = Field(default=8, ge=1, le=20)
    """After so many it is given up; with 15 minutes, 8 outlast two days."""
    redrives_per_minute: int = Field(default=600, ge=1)
    """How many dead letters may be sent again."""
    reprocesses_per_minute: int = Field(default=120, ge=1)
    """How many uploads may be started again: by all operators together, and by each other user."""
    reembeds_per_minute: int = Field(default=6000, ge=1)
    """How many files are handed to the embedder for another model; it works through them at its own pace."""
    reconcile_settle_s: float = Field(default=600, ge=0)
    """Objects younger than this may still be on their way."""

    @property
    def repair_limits(self) -> RepairLimits:
        """How eager repairs are."""
        return RepairLimits(
            artifacts_bucket=self.artifacts_bucket,
            sweep_after=timedelta(seconds=self.sweep_after_s),
            sweep_every_s=self.sweep_every_s,
            sweep_attempts=self.sweep_attempts,
            redrives_per_minute=self.redrives_per_minute,
            reprocesses_per_minute=self.reprocesses_per_minute,
            reembeds_per_minute=self.reembeds_per_minute,
            settle=timedelta(seconds=self.reconcile_settle_s),
        )

    @property
    def daily_quotas(self) -> DailyQuotas:
        """Files per user and day."""
        return DailyQuotas(self.daily_uploads_free, self.daily_uploads_pro, self.daily_uploads_enterprise)

    @property
    def retention(self) -> Retention:
        """When what is removed for good."""
        return Retention(
            timedelta(days=self.deleted_kept_days),
            timedelta(days=self.leftovers_kept_days),
            timedelta(days=self.tombstones_kept_days),
            self.purge_every_s,
        )

    @property
    def thumbnail_links(self) -> SignedCdn | None:
        """Signs links to thumbnails where there is a CDN. Raises ``ValueError`` for a CDN without its key."""
        if self.thumbnail_cdn is None:
            return None
        if self.cdn_signing_key is None:
            raise ValueError("THUMBNAIL_CDN needs CDN_SIGNING_KEY")
        return SignedCdn(self.thumbnail_cdn, self.cdn_key_name, self.cdn_signing_key.get_secret_value())

    @property
    def picture_origins(self) -> Sequence[str]:
        """Where else the page may load pictures from."""
        return () if self.thumbnail_cdn is None else (self.thumbnail_cdn.rstrip("/"),)

    @property
    def storage_origin(self) -> str:
        """Where signed URLs lead; the page may load pictures and films from there."""
        return (self.storage_emulator_host or "https://storage.googleapis.com").rstrip("/")


class BootstrapSettings(BaseSettings):
    """Of ``python -m upload_gateway.bootstrap``."""

    database_url: str
    local_user_id: str
    local_api_key: SecretStr
