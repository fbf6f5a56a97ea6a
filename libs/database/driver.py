"""Opens connections of the driver itself, for what the engine's sessions are not made for."""

from typing import Any

import asyncpg

CONNECT_S = 5
"""Seconds; a server that takes longer is away."""


async def connect(url: str, application_name: str, **more: Any) -> Any:
    """A connection outside of any pool. ``url`` is ``postgresql+asyncpg://…``; ``more`` is as the driver has it."""
    settings = {"application_name": application_name, **more.pop("server_settings", {})}
    address = url.replace("postgresql+asyncpg://", "postgresql://", 1)
    return await asyncpg.connect(address, timeout=CONNECT_S, server_settings=settings, **more)
