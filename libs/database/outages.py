"""What a caller is told when the database is away."""


class DatabaseUnavailableError(ConnectionError):
    """The database was not there; whether a commit under way happened is not known."""
