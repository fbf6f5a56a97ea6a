"""Reads a request's JSON body into its model, after the route has found out who asks."""

from typing import TypeVar

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError

ModelT = TypeVar("ModelT", bound=BaseModel)


def declared(model: type[BaseModel]) -> dict[str, object]:
    """Returns the ``openapi_extra`` of a route that reads its body by :func:`read_model`."""
    schema = model.model_json_schema()
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


async def read_model(request: Request, model: type[ModelT]) -> ModelT:
    """Returns the JSON body as ``model``; 422 if it is invalid."""
    body = await request.body()
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        raise RequestValidationError(
            error.errors(include_url=False, include_input=False, include_context=False)
        ) from error
