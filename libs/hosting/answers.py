"""The one envelope of every JSON answer, and the errors that become one.

{status, data, error: {code, message, details} | null, meta, trace_id, timestamp}
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Generic, Literal, TypeVar

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from telemetry.propagation import current_trace_id

DataT = TypeVar("DataT")
_OUTAGE = "A part of the system is away for the moment. Try again shortly."


class ErrorBody(BaseModel):
    """Why a request failed: a stable code, a sentence for a person, and what a program may need."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=True)

    code: str
    message: str
    details: dict[str, Any] = Field(default_factory=dict)


class Answer(BaseModel, Generic[DataT]):
    """A success or error answer. Routes return it; errors are raised as :class:`ApiError`.

    Every field is always sent, and the description of the API says so.
    """

    model_config = ConfigDict(json_schema_serialization_defaults_required=True)

    status: Literal["success", "error"] = "success"
    data: DataT | None = None
    error: ErrorBody | None = None
    meta: dict[str, Any] = Field(default_factory=dict)
    trace_id: str | None = Field(default_factory=current_trace_id)
    timestamp: datetime = Field(default_factory=lambda: datetime.now(UTC))


def written(answer: Answer[Any]) -> Response:
    """A success as it is sent, for data made of what the database holds; the route names its model for OpenAPI only.

    FastAPI would make and check an object for every row before it writes it.
    """
    return Response(answer.model_dump_json(), media_type="application/json")


class ApiError(Exception):
    """Raised anywhere under a route; becomes the answer with this status and code."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        details: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.status = status
        self.code = code
        self.message = message
        self.details = dict(details or {})
        self.headers = dict(headers or {})


def not_found(what: str) -> ApiError:
    """404: it is not there, or it is somebody else's; the two look the same."""
    return ApiError(404, "not_found", f"There is no such {what}.")


def error_response(error: ApiError) -> JSONResponse:
    """An :class:`ApiError` as the envelope."""
    answer = Answer[None](
        status="error", error=ErrorBody(code=error.code, message=error.message, details=error.details)
    )
    return JSONResponse(answer.model_dump(mode="json"), status_code=error.status, headers=error.headers)


async def on_api_error(_request: Request, error: Exception) -> JSONResponse:
    """Exception handler for :class:`ApiError`."""
    assert isinstance(error, ApiError)
    return error_response(error)


async def on_outage(_request: Request, _error: Exception) -> JSONResponse:
    """Exception handler for what libs raise when database, storage or broker are away: 503, not 500."""
    return error_response(ApiError(503, "unavailable", _OUTAGE, headers={"Retry-After": "5"}))


async def on_http_error(_request: Request, error: Exception) -> JSONResponse:
    """Exception handler for Starlette's own errors (404 of the router, 405, 400 of a parser, 413 of a body)."""
    assert isinstance(error, HTTPException)
    codes = {400: "bad_request", 404: "not_found", 405: "method_not_allowed", 413: "body_size"}
    code = codes.get(error.status_code, "http_error")
    return error_response(ApiError(error.status_code, code, str(error.detail), headers=error.headers))


async def on_validation_error(_request: Request, error: Exception) -> JSONResponse:
    """Exception handler for requests that do not fit their model: 422 with the fields, never their values.

    The field is empty where several do not go together.
    """
    assert isinstance(error, RequestValidationError)
    fields = [
        {"field": ".".join(map(str, e["loc"])), "problem": e["msg"].removeprefix("Value error, ")}
        for e in error.errors()
    ]
    return error_response(
        ApiError(422, "invalid_request", "Some fields are missing or malformed.", details={"fields": fields[:20]})
    )
