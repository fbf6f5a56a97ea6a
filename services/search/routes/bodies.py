"""Turns a request's body into its model, reading no more of it than a model can hold."""

from typing import TypeVar

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError

from hosting.answers import ApiError

MAX_BODY_BYTES = 64 * 1024

ModelT = TypeVar("ModelT", bound=BaseModel)


async def read_model(request: Request, model: type[ModelT]) -> ModelT:
    """The body as ``model``, checked as JSON: 413 when it is too long, 422 when it does not fit."""
    body = await read_body(request, MAX_BODY_BYTES)
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        raise RequestValidationError(
            error.errors(include_url=False, include_input=False, include_context=False)
        ) from error


async def read_body(request: Request, most: int) -> bytes:
    """The whole body; 413 as soon as it is longer than ``most`` bytes."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > most:
            raise ApiError(413, "body_size", f"The request is longer than {most} bytes.")
    return bytes(body)
