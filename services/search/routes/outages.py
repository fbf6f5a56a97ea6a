"""Turns a session's statement that was cut off for taking too long into 503, as the driver's are anyway."""

from collections.abc import AsyncGenerator

from sqlalchemy.exc import DBAPIError

from hosting.answers import ApiError

_QUERY_CANCELED = "57014"
_MESSAGE = "Search is not available right now; try again shortly."


async def outages_as_unavailable() -> AsyncGenerator[None, None]:
    """A route dependency; the caller may try again."""
    try:
        yield
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) != _QUERY_CANCELED:
            raise
        raise ApiError(503, "unavailable", _MESSAGE, headers={"Retry-After": "2"}) from error
