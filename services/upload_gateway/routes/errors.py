"""How refusals are documented in OpenAPI: the envelope, with an example for each code an operation can answer."""

from collections.abc import Mapping, Sequence
from typing import Any

from hosting.answers import Answer

_MESSAGES: Mapping[str, tuple[int, str]] = {
    "bad_multipart": (400, "The body is not well-formed multipart/form-data."),
    "unauthenticated": (401, "Send a valid API key or bearer token."),
    "suspended": (403, "This account is suspended."),
    "not_found": (404, "There is no such upload."),
    "body_too_slow": (408, "Nothing of the file arrived for 60 seconds."),
    "duplicate": (409, "You have uploaded this very file before."),
    "in_progress": (409, "The first request with this Idempotency-Key is still at work."),
    "still_arriving": (409, "The file is still arriving. Try again in a moment."),
    "gone": (409, "The file's bytes have been removed; it cannot be brought back."),
    "not_deleted": (409, "This upload is not deleted."),
    "not_failed": (409, "Only a failed upload can be retried."),
    "not_ready": (409, "What this stage works on is not there yet."),
    "too_many_keys": (409, "At most 50 keys; delete one first."),
    "file_size": (413, "The file is larger than 100 MiB."),
    "unsupported_format": (415, "This kind of file is not supported: it looks like a ZIP archive."),
    "empty": (422, "The file is empty."),
    "filename": (422, "The file name contains control characters."),
    "invalid_metadata": (422, "“metadata” is not JSON."),
    "invalid_request": (422, "Some fields are missing or malformed."),
    "idempotency_mismatch": (422, "This Idempotency-Key was used for another request."),
    "daily_quota": (429, "You have added or processed again 100 files today, which is all that is allowed."),
    "too_many_uploads": (429, "At most 10 files at once; wait until one has arrived."),
    "busy": (503, "Too many files are arriving at this moment. Try again shortly."),
    "unavailable": (503, "A part of the system is away for the moment. Try again shortly."),
}
_ALWAYS = ("unauthenticated", "suspended", "unavailable")
_SHOWN_AS = {"empty": "file_size"}

Responses = dict[int | str, dict[str, Any]]


def refusals(*codes: str) -> Responses:
    """``responses=`` of a route that needs a credential and can answer these codes."""
    by_status: dict[int, list[str]] = {}
    for code in (*codes, *_ALWAYS):
        by_status.setdefault(_MESSAGES[code][0], []).append(code)
    return {status: _documented(those) for status, those in sorted(by_status.items())}


def _documented(codes: Sequence[str]) -> dict[str, Any]:
    examples = {code: {"value": _example(code)} for code in codes}
    described = ", ".join(f"`{_SHOWN_AS.get(code, code)}`" for code in codes)
    return {"model": Answer[None], "description": described, "content": {"application/json": {"examples": examples}}}


def _example(code: str) -> dict[str, Any]:
    error = {"code": _SHOWN_AS.get(code, code), "message": _MESSAGES[code][1], "details": {}}
    return {
        "status": "error",
        "data": None,
        "error": error,
        "meta": {},
        "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
        "timestamp": "2026-11-21T09:30:00Z",
    }
