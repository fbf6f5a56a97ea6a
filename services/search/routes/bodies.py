"""Reads a request's JSON body into its model, of limited length."""

from typing import TypeVar

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError

from hosting.answers import ApiError

MAX_BODY_BYTES = 64 * 1024

ModelT = TypeVar("ModelT", bound=BaseModel)


def declared(model: type[BaseModel]) -> dict[str, object]:
    """Returns the ``openapi_extra`` of a route that reads its body by :func:`read_model`."""
    schema = model.model_json_schema()
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


async def read_model(request: Request, model: type[ModelT]) -> ModelT:
    """Returns the JSON body as ``model``; 413 if it is too long, 422 if it is invalid."""
    body = await read_body(request, MAX_BODY_BYTES)
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        raise RequestValidationError(
            error.errors(include_url=False, include_input=False, include_context=False)
        ) from error


async def read_body(request: Request, most: int) -> bytes:
    """Returns the whole body; 413 as soon as it is longer than ``most`` bytes."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > most:
            raise ApiError(413, "body_size", f"The request is longer than {most} bytes.")
    return bytes(body)
