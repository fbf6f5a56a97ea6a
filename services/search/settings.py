"""What the environment says about this process, beyond what every service is told."""

from pydantic import Field
from pydantic_settings import BaseSettings

from embeddings.settings import EncoderSettings
from hosting.settings import DatabaseSettings


class Settings(DatabaseSettings, EncoderSettings):
    """Read once, by ``main.py``."""

    encoder_timeout_s: float = Field(default=3.0, gt=0, le=30)
    """Longer, and a search goes by words alone."""


class MaintenanceSettings(BaseSettings):
    """Read by ``python -m search.maintenance``: the database as its admin reaches it."""

    database_url: str
