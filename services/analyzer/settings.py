"""What the environment says about this process, beyond what every service is told."""

import math
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr

from hosting.settings import ServiceSettings
from providers.prices import Price


def _prices() -> dict[str, Price]:
    return {
        "gemini-3.8-flash": Price(input_usd=1.50, output_usd=7.50),
        "gemini-3.1-flash-lite": Price(input_usd=0.25, output_usd=1.50),
        "gemini-2.5-flash": Price(input_usd=0.30, output_usd=2.50),
        "gemini-2.5-flash-lite": Price(input_usd=0.10, output_usd=0.40),
    }


class Settings(ServiceSettings):
    """Read once, by ``main.py``. ``gemini`` needs an API key, or a project whose Vertex AI is used."""

    analyzer_backend: Literal["local", "gemini"] = "local"
    local_ocr: bool = True
    """Whether the local backend reads the text in pictures; without it saves up to 400 MB and most of its time."""
    ocr_timeout_s: float = 60.0
    """Seconds one picture may take before its reader is ended."""

    speech_model_dir: Path | None = None
    """A Whisper-class model exported to ONNX, for the local backend; without it recordings are not transcribed."""
    vision_model_dir: Path | None = None
    """A CLIP-class model exported to ONNX, for the local backend; without it pictures are only read, not described."""

    gemini_api_key: SecretStr | None = None
    gemini_vertex_project: str | None = None
    """Then pictures go as ``gs://`` URIs of the artifacts bucket, which Vertex AI must be able to read."""
    gemini_vertex_location: str = "global"
    gemini_base_url: str | None = None
    gemini_model: str = "gemini-3.8-flash"
    gemini_timeout_s: float = Field(default=120.0, gt=0)
    gemini_concurrency: int = Field(default=4, ge=1)
    gemini_requests_per_minute: float = Field(default=60, gt=0)
    gemini_prices: dict[str, Price] = Field(default_factory=_prices)
    """List prices; gemini-3.8-flash costs half of it until the end of 2026."""
    gemini_daily_budget_usd: float = Field(default=math.inf, ge=0)
    """For one process; when it is spent the stage pauses until midnight UTC."""
    gemini_spend_file: Path | None = None
    """Where the day's sum is kept over a restart; one file per process."""
