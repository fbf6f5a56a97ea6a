"""A service's database, opened the way the service does."""

from sqlalchemy.engine import URL

from database.engine import Database
from search.tables import BINARY_TYPES, SCHEMA


def open_as_service(url: URL) -> Database:
    """The database at ``url``, whose user is the service."""
    service = url.username or ""
    binary_types = BINARY_TYPES if service == SCHEMA else ()
    return Database(url.render_as_string(hide_password=False), service, binary_types=binary_types)
