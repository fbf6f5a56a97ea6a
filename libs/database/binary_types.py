"""Types whose values travel as the server's own bytes, so that nobody writes and parses them as text."""

from collections.abc import Sequence
from typing import Any


async def pass_as_bytes(connection: Any, types: Sequence[str]) -> None:
    """Makes a connection of asyncpg pass values of these types, and of arrays of them, as ``bytes`` both ways.

    ``types`` are of the schema ``public``; ``ValueError`` if one does not exist there.
    """
    for name in types:
        await connection.set_type_codec(name, schema="public", format="binary", encoder=bytes, decoder=bytes)
