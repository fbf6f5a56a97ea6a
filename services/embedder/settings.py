"""What the environment says about this process: which encoder it uses, beyond what every service is told."""

from embeddings.settings import EncoderSettings


class Settings(EncoderSettings):
    """Read once, by ``main.py``."""
