"""Turns settings into the backend they choose, and the context in which it may be used."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

import structlog

from analyzer.backends.backend import Backend
from analyzer.backends.local.backend import LocalBackend
from analyzer.backends.local.ocr import OcrProcess
from analyzer.backends.local.speech.listening import Listener
from analyzer.backends.local.vision.viewing import Viewer
from analyzer.settings import SOUND_UNVERIFIED, Settings

_log = structlog.get_logger()


def chosen_backend(settings: Settings) -> tuple[Backend, AbstractAsyncContextManager[Any]]:
    """Raises ``ValueError`` when the choice lacks its key, its project, the price of its model or a file of it."""
    if settings.analyzer_backend == "local":
        ocr = OcrProcess(timeout_s=settings.ocr_timeout_s, reads_text=settings.local_ocr)
        return LocalBackend(ocr, _listener(settings), _viewer(settings)), ocr
    # 30 MB and half a second that local analysis does without.
    from analyzer.backends.gemini.backend import GeminiBackend  # noqa: PLC0415
    from analyzer.backends.gemini.connection import connected_model  # noqa: PLC0415

    model = connected_model(settings)
    return GeminiBackend(model), model


def notices(settings: Settings) -> Sequence[str]:
    """What the chosen backend does without, and the setting that would change it."""
    if settings.analyzer_backend != "local":
        guessed = settings.gemini_model in SOUND_UNVERIFIED and "gemini_prices" not in settings.model_fields_set
        return ["the price of sound is unverified (GEMINI_PRICES)"] if guessed else ()
    without = {
        "LOCAL_OCR": None if settings.local_ocr else "text in pictures is not read",
        "SPEECH_MODEL_DIR": None if settings.speech_model_dir else "no speech model: recordings are not transcribed",
        "VISION_MODEL_DIR": None if settings.vision_model_dir else "no vision model: pictures are not described",
    }
    return [f"{notice} ({setting})" for setting, notice in without.items() if notice]


def _listener(settings: Settings) -> Listener | None:
    if settings.speech_model_dir is None:
        return None
    from analyzer.backends.local.speech.sound import decoded  # noqa: PLC0415 - only where there is a model
    from analyzer.backends.local.speech.whisper import WhisperModel  # noqa: PLC0415 - only where there is a model

    model = WhisperModel(settings.speech_model_dir)
    _log.info("speech model loaded", model=model.name)
    return Listener(model, decoded)


def _viewer(settings: Settings) -> Viewer | None:
    if settings.vision_model_dir is None:
        return None
    from analyzer.backends.local.vision.clip import ClipModel  # noqa: PLC0415 - only where there is a model

    model = ClipModel(settings.vision_model_dir)
    _log.info("vision model loaded", model=model.name)
    return Viewer(model)
