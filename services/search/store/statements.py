"""The text of a statement into what is executed, once: reading a long one's parameters takes 0.2 ms."""

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, Protocol

from sqlalchemy import TextClause, text


class Answered(Protocol):
    """The rows of a statement, their columns as attributes."""

    def __iter__(self) -> Iterator[Any]:
        """Row by row."""
        ...

    def all(self) -> Sequence[Any]:
        """Every row."""
        ...

    def one(self) -> Any:
        """The only row there is."""
        ...


class Asking(Protocol):
    """A transaction of one tenant: a session, or for searches one straight by the driver (docs/decisions/0020)."""

    async def execute(self, statement: TextClause, values: Mapping[str, Any], /) -> Answered:
        """Asks one statement."""
        ...


@lru_cache(maxsize=512)
def statement(sql: str) -> TextClause:
    """Of the same text always the same statement; texts differ by filters, ways and the number of terms only."""
    return text(sql)
