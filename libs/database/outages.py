"""What a caller is told when the database is away."""

from collections.abc import Generator
from contextlib import contextmanager

import asyncpg

OUTAGES = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InsufficientResourcesError,
    asyncpg.OperatorInterventionError,  # shutting down or starting
    asyncpg.InternalClientError,  # a statement crossed with the server's last words
)
"""What the driver raises when the server is away."""


class DatabaseUnavailableError(ConnectionError):
    """The database was not there; whether a commit under way happened is not known."""


class DatabaseTooSlowError(DatabaseUnavailableError, TimeoutError):
    """The database is there, but a statement took longer than it may, or who began a transaction left it idle.

    A request is told the same as in an outage; a delivery has used up one of its attempts, as with any time limit.
    """


@contextmanager
def outages_told() -> Generator[None, None, None]:
    """Turns outages into ``DatabaseUnavailableError``, a statement that was cut off into ``DatabaseTooSlowError``."""
    try:
        yield
    except asyncpg.QueryCanceledError as error:
        raise DatabaseTooSlowError(str(error)[:300]) from error
    except OUTAGES as error:
        raise DatabaseUnavailableError(f"{type(error).__name__}: {error}"[:300]) from error
