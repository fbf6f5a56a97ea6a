"""What the environment says about this process, beyond what every service is told."""

import math
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr

from hosting.settings import ServiceSettings
from providers.prices import Price
from providers.settings import ProviderSettings

SOUND_UNVERIFIED = frozenset({"gemini-3.1-flash-lite", "gemini-2.5-flash-lite"})
"""Models of which nobody could be found who states what sound costs."""


def _prices() -> dict[str, Price]:
    """Of ai.google.dev/gemini-api/docs/pricing, standard tier: the default model as read on 2026-10-07 (half of that
    until 2026-12-31), the others as price lists of spring and summer 2026 repeat them.
    """
    return {
        "gemini-3.8-flash": Price(input_usd=1.50, output_usd=7.50),
        "gemini-3.1-flash-lite": Price(input_usd=0.25, output_usd=1.50, audio_usd=0.50),
        "gemini-2.5-flash": Price(input_usd=0.30, output_usd=2.50, audio_usd=1.00),
        "gemini-2.5-flash-lite": Price(input_usd=0.10, output_usd=0.40, audio_usd=0.30),
    }


class Settings(ServiceSettings, ProviderSettings):
    """Read once, by ``main.py``. ``gemini`` needs an API key, or a project whose Vertex AI is used."""

    analyzer_backend: Literal["local", "gemini"] = "local"
    """Who describes files: this machine, or Gemini."""
    local_ocr: bool = True
    """Whether the local backend reads the text in pictures; without it saves up to 400 MB and most of its time."""
    ocr_timeout_s: float = 60.0
    """Seconds one picture may take before its reader is ended."""

    speech_model_dir: Path | None = None
    """A Whisper-class model exported to ONNX, for the local backend; without it recordings are not transcribed."""
    vision_model_dir: Path | None = None
    """A CLIP-class model exported to ONNX, for the local backend; without it pictures are only read, not described."""

    gemini_api_key: SecretStr | None = None
    """For the Gemini API; not needed with a Vertex AI project."""
    gemini_vertex_project: str | None = None
    """Then pictures go as ``gs://`` URIs of the artifacts bucket, which Vertex AI must be able to read."""
    gemini_vertex_location: str = "global"
    """Region of Vertex AI."""
    gemini_base_url: str | None = None
    """Another server that speaks the same protocol."""
    gemini_model: str = "gemini-3.8-flash"
    """Which model; its prices must be known."""
    gemini_timeout_s: float = Field(default=120.0, gt=0)
    """Seconds one call may take."""
    gemini_concurrency: int = Field(default=4, ge=1)
    """Calls at a time, of each process."""
    gemini_requests_per_minute: float = Field(default=60, gt=0)
    """Calls a minute; more wait."""
    gemini_prices: dict[str, Price] = Field(default_factory=_prices)
    """US dollars for a million tokens by model, as listed on 2026-10-07 (docs/operations.md); the default model costs
    half of that until the end of 2026. A model that is not in it cannot be used."""
    gemini_daily_budget_usd: float = Field(default=math.inf, ge=0)
    """When it is spent the stage pauses until midnight UTC."""
    gemini_spend_file: Path | None = None
    """Where the day's sum is kept over a restart where PROVIDER_LIMITS_URL does not; one file per process."""
