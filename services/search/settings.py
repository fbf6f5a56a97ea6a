"""The settings of search that not every service has, read from the environment."""

from pydantic import Field
from pydantic_settings import BaseSettings

from embeddings.settings import EncoderSettings
from hosting.settings import DatabaseSettings


class Settings(DatabaseSettings, EncoderSettings):
    """Read once, by ``main.py``."""

    encoder_timeout_s: float = Field(default=3.0, gt=0, le=30)
    """Seconds after which a search stops waiting for the query's vector and goes by words alone."""


class MaintenanceSettings(BaseSettings):
    """Read by ``python -m search.maintenance``: the database as its admin reaches it."""

    database_url: str
