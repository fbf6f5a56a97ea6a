"""The text of a statement into what SQLAlchemy executes, once: reading a long one's parameters takes 0.2 ms."""

from functools import lru_cache

from sqlalchemy import TextClause, text


@lru_cache(maxsize=512)
def statement(sql: str) -> TextClause:
    """Of the same text always the same statement; texts differ by filters, ways and the number of terms only."""
    return text(sql)
