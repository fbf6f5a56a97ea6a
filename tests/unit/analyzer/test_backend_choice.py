"""Settings choose a backend, and what it lacks is said before the service starts."""

import re
from pathlib import Path

import pytest

from analyzer.backends.choice import chosen_backend, notices
from analyzer.backends.gemini.backend import GeminiBackend
from analyzer.backends.gemini.connection import connected_model
from analyzer.backends.local.backend import LocalBackend
from analyzer.settings import Settings
from analyzer.stage import stage_version
from providers.errors import ProviderPausedError
from providers.prices import Price
from tests.redis_server import redis
from tests.unit.analyzer.tiny_clip import write_tiny_clip
from tests.unit.analyzer.tiny_whisper import write_tiny_whisper


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GEMINI_API_KEY", "GOOGLE_API_KEY", "GOOGLE_GENAI_USE_VERTEXAI"):
        monkeypatch.delenv(name, raising=False)
    for name in ("GOOGLE_CLOUD_PROJECT", "UPLOADS_BUCKET", "ARTIFACTS_BUCKET"):
        monkeypatch.setenv(name, "acme-test")
    monkeypatch.setenv("ANALYZER_BACKEND", "gemini")


async def test_nothing_said_means_local(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ANALYZER_BACKEND")
    backend, in_use = chosen_backend(Settings())
    assert isinstance(backend, LocalBackend)
    async with in_use:
        pass


def test_what_the_local_backend_does_without_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert notices(Settings()) == ()
    monkeypatch.delenv("ANALYZER_BACKEND")
    monkeypatch.setenv("VISION_MODEL_DIR", str(tmp_path))
    assert notices(Settings()) == ["no speech model: recordings are not transcribed (SPEECH_MODEL_DIR)"]
    monkeypatch.setenv("LOCAL_OCR", "false")
    assert "text in pictures is not read (LOCAL_OCR)" in notices(Settings())
    assert chosen_backend(Settings().model_copy(update={"vision_model_dir": None}))[0].model_id == "local"


def test_a_price_that_nobody_states_is_said_until_one_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GEMINI_MODEL", "gemini-3.1-flash-lite")
    assert notices(Settings()) == ["the price of sound is unverified (GEMINI_PRICES)"]
    monkeypatch.setenv("GEMINI_PRICES", '{"gemini-3.1-flash-lite": {"input_usd": 0.25, "output_usd": 1.5}}')
    assert notices(Settings()) == ()


async def test_gemini_counts_calls_and_money_with_its_other_instances(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GEMINI_API_KEY", "k-test")
    monkeypatch.setenv("GEMINI_DAILY_BUDGET_USD", "1")
    with redis() as port:
        monkeypatch.setenv("PROVIDER_LIMITS_URL", f"redis://127.0.0.1:{port}/1")
        one, other = connected_model(Settings()), connected_model(Settings())
        async with one, other:
            async with one.gate.call():
                one.gate.charge(Price(input_usd=1), 1_000_000)
            with pytest.raises(ProviderPausedError, match="budget"):
                await other.gate.check()


async def test_models_in_local_directories_are_used_and_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("ANALYZER_BACKEND")
    monkeypatch.setenv("SPEECH_MODEL_DIR", str(write_tiny_whisper(tmp_path / "speech")))
    monkeypatch.setenv("VISION_MODEL_DIR", str(write_tiny_clip(tmp_path / "vision")))
    backend, in_use = chosen_backend(Settings())
    async with in_use:
        assert re.fullmatch(r"local-ppocrv6-whisper@\w{8}-clip@\w{8}", backend.model_id)


def test_a_directory_without_a_model_stops_the_start(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("ANALYZER_BACKEND")
    monkeypatch.setenv("SPEECH_MODEL_DIR", str(tmp_path))
    with pytest.raises(ValueError, match=r"encoder_model\.onnx is not in"):
        chosen_backend(Settings())


async def test_a_key_is_enough_for_gemini(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GEMINI_API_KEY", "k")
    backend, in_use = chosen_backend(Settings())
    assert isinstance(backend, GeminiBackend)
    assert backend.model_id == "gemini-3.8-flash"
    async with in_use as model:
        assert not model.reads_buckets


def test_without_a_key_it_says_so() -> None:
    with pytest.raises(ValueError, match="GEMINI_API_KEY or GEMINI_VERTEX_PROJECT"):
        chosen_backend(Settings())


def test_a_model_without_a_price_is_refused_and_prices_can_be_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GEMINI_API_KEY", "k")
    monkeypatch.setenv("GEMINI_MODEL", "gemini-9")
    with pytest.raises(ValueError, match="no entry for the model gemini-9"):
        chosen_backend(Settings())
    monkeypatch.setenv("GEMINI_PRICES", '{"gemini-9": {"input_usd": 1, "output_usd": 2}}')
    assert chosen_backend(Settings())[0].model_id == "gemini-9"


def test_the_stage_version_names_model_and_prompt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GEMINI_API_KEY", "k")
    backend, _ = chosen_backend(Settings())
    assert stage_version(backend) == f"1-gemini-3.8-flash-{backend.prompt_version}"
