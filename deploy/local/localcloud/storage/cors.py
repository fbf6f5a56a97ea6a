"""A bucket's CORS rules, or the origin an upload session was opened for, into the answer's headers. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.alias_generators import to_camel

from localcloud.storage.errors import invalid

_SESSION_METHODS = "PUT, GET, DELETE, OPTIONS"
_SESSION_EXPOSED = "Location, Range, ETag, X-Goog-Hash, X-Goog-Generation, X-Goog-Metageneration"


class CorsRule(BaseModel):
    """One rule of ``bucket.cors``."""

    model_config = ConfigDict(alias_generator=to_camel, extra="ignore", frozen=True)

    origin: list[str] = Field(default_factory=list[str])
    method: list[str] = Field(default_factory=list[str])
    response_header: list[str] = Field(default_factory=list[str])
    max_age_seconds: int = 0


_RULES = TypeAdapter(list[CorsRule])


def parse_rules(value: Any) -> list[CorsRule]:
    """Of the ``cors`` member of a bucket resource; 400 when it is not a list of rules."""
    try:
        return _RULES.validate_python(value or [])
    except ValidationError as error:
        raise invalid(f"Invalid CORS configuration: {error.errors()[0]['msg']}") from None


def rule_headers(rules: Sequence[CorsRule], request: Mapping[str, str], method: str) -> dict[str, str]:
    """Headers that let the request's origin read the answer (or, for OPTIONS, send the request); {} otherwise."""
    origin = request.get("origin")
    preflight = method == "OPTIONS"
    wanted = request.get("access-control-request-method", "") if preflight else method
    for rule in rules:
        if origin and _allows(rule.origin, origin) and _allows(rule.method, wanted):
            return _of_rule(rule, origin, preflight=preflight)
    return {}


def session_headers(session_origin: str | None, request: Mapping[str, str], *, preflight: bool) -> dict[str, str]:
    """The same for an upload session, which answers only the origin given when it was opened."""
    origin = request.get("origin")
    if not origin or origin != session_origin:
        return {}
    headers = {
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Expose-Headers": _SESSION_EXPOSED,
        "Vary": "Origin",
    }
    if preflight:
        headers["Access-Control-Allow-Methods"] = _SESSION_METHODS
        headers["Access-Control-Allow-Headers"] = request.get("access-control-request-headers", "*")
        headers["Access-Control-Max-Age"] = "3600"
    return headers


def _allows(values: Sequence[str], value: str) -> bool:
    return "*" in values or value in values


def _of_rule(rule: CorsRule, origin: str, *, preflight: bool) -> dict[str, str]:
    headers = {"Access-Control-Allow-Origin": "*" if "*" in rule.origin else origin, "Vary": "Origin"}
    names = ", ".join(rule.response_header)
    if preflight:
        headers["Access-Control-Allow-Methods"] = ", ".join(rule.method)
        headers["Access-Control-Allow-Headers"] = names
        headers["Access-Control-Max-Age"] = str(rule.max_age_seconds)
    else:
        headers["Access-Control-Expose-Headers"] = names
    return headers
