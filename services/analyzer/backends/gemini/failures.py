"""Turns Gemini's error answers into temporary and permanent failures, with the pause it asks for."""

from typing import Any

from google.genai import errors

from providers.errors import ProviderError, ProviderRefused, ProviderUnavailable
from providers.retry_after import retry_after_s, seconds_of

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

_OPERATORS = {401, 403, 404}
"""Refused credentials or a model that is not there: an operator can mend it, no file is at fault."""

_OPERATORS_STATUS = {"FAILED_PRECONDITION", "PERMISSION_DENIED", "UNAUTHENTICATED"}
_PASSING = {408, 409, 425, 429, 499}
_OPERATORS_PAUSE_S = 60.0


def translated(error: errors.APIError) -> ProviderError:
    """Permanent only where the provider says that this request can never work."""
    code = error.code if isinstance(error.code, int) else 0
    if code in _OPERATORS or error.status in _OPERATORS_STATUS or _names_the_key(error):
        return ProviderUnavailable(f"the model refuses our credentials: {code}", retry_after_s=_OPERATORS_PAUSE_S)
    if code in _PASSING or not 400 <= code < 500:
        return ProviderUnavailable(f"the model answered {code}", retry_after_s=_pause_of(error), quota=code == 429)
    return ProviderRefused(f"the model does not take this request: {code}")


def _pause_of(error: errors.APIError) -> float | None:
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
