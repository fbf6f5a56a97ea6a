"""What the environment says about this process, beyond what every service is told."""

from hosting.settings import ServiceSettings


class Settings(ServiceSettings):
    """Read once, by ``main.py``. ``ocr_timeout_s``: seconds one picture may take before its reader is ended."""

    ocr_timeout_s: float = 60.0
