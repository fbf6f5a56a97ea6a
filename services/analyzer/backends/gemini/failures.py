"""Turns Gemini's error answers into temporary and permanent failures, with the pause it asks for."""

from typing import Any

from google.genai import errors

from providers.errors import ProviderError, ProviderRefused, ProviderUnavailable
from providers.retry_after import retry_after_s, seconds_of
from providers.statuses import Meaning, meaning_of

REFUSALS = frozenset(
    {
        "SAFETY",
        "RECITATION",
        "BLOCKLIST",
        "PROHIBITED_CONTENT",
        "SPII",
        "IMAGE_SAFETY",
        "IMAGE_PROHIBITED_CONTENT",
        "MODEL_ARMOR",
        "ESCALATION",
    }
)
"""Finish reasons that are about the file, and will be the same next time."""

_OPERATORS = {"FAILED_PRECONDITION", "PERMISSION_DENIED", "UNAUTHENTICATED"}


def translated(error: errors.APIError) -> ProviderError:
    """Permanent only where the provider says that this request can never work."""
    code = error.code if isinstance(error.code, int) else 0
    meaning = Meaning.OPERATORS if error.status in _OPERATORS or _names_the_key(error) else meaning_of(code)
    if meaning is Meaning.REFUSED:
        return ProviderRefused(f"the model does not take this request: {code}")
    message = f"the model answered {code}{', which an operator can mend' if meaning is Meaning.OPERATORS else ''}"
    return ProviderUnavailable(message, retry_after_s=meaning.pause_s(_pause_asked_for(error)), quota=code == 429)


def _pause_asked_for(error: errors.APIError) -> float | None:
    """From the header, else from the ``RetryInfo`` among the error's details."""
    pause = retry_after_s(getattr(error.response, "headers", None) or {})
    if pause is not None:
        return pause
    told = [seconds_of(str(detail["retryDelay"])) for detail in _details(error) if "retryDelay" in detail]
    return next((seconds for seconds in told if seconds is not None), None)


def _names_the_key(error: errors.APIError) -> bool:
    return any(str(detail.get("reason", "")).startswith("API_KEY_") for detail in _details(error))


def _details(error: errors.APIError) -> list[dict[str, Any]]:
    body: Any = error.details
    inner = body.get("error", body) if isinstance(body, dict) else {}
    listed = inner.get("details") if isinstance(inner, dict) else None
    return [detail for detail in listed if isinstance(detail, dict)] if isinstance(listed, list) else []
