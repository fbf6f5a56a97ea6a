"""What the environment says about this process, beyond what every service is told."""

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings

from hosting.settings import DatabaseSettings

MIB = 1024 * 1024


class Settings(DatabaseSettings):
    """Read once, by ``main.py``. ``max_file_size`` in bytes."""

    max_file_size: int = Field(default=100 * MIB, ge=1)
    local_user_id: str = "local-user"
    """The one user of one machine; signed in without a password where there is a local issuer."""
    storage_emulator_host: str | None = None

    @property
    def storage_origin(self) -> str:
        """Where signed URLs lead; the page may load pictures and films from there."""
        return (self.storage_emulator_host or "https://storage.googleapis.com").rstrip("/")


class BootstrapSettings(BaseSettings):
    """Of ``python -m upload_gateway.bootstrap``."""

    database_url: str
    local_user_id: str
    local_api_key: SecretStr
