"""What the environment says about this process, beyond what every service is told."""

from pydantic import Field

from hosting.settings import ServiceSettings


class Settings(ServiceSettings):
    """Read once, by ``main.py``. ``max_file_size`` in bytes; larger objects are refused, not read."""

    max_file_size: int = Field(default=100 * 1024 * 1024, ge=1)
    """Bytes; larger files are refused."""
