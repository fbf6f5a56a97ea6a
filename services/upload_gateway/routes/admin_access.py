"""Who may use the routes under ``/admin``: operators, told from everyone else before anything is looked up."""

from typing import Annotated

from fastapi import Depends

from hosting.answers import ApiError
from identity.principal import Caller, Principal


async def only_operators(caller: Caller) -> Principal:  # a plain function is called only after the body was read
    """The caller; 403 for anyone who is no operator."""
    if not caller.operator:
        raise ApiError(403, "forbidden", "Only operators may do this.")
    return caller


Operator = Annotated[Principal, Depends(only_operators)]
"""A route parameter: the caller, who is an operator."""
