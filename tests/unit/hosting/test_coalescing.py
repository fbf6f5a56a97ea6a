"""What is written in one turn leaves together; nothing is held for longer, or beyond a limit, or lost at the end."""

import asyncio
from typing import Any, cast

from hosting.coalescing import CoalescingTransport


class Connection:
    """Records what a transport is asked to do."""

    def __init__(self) -> None:
        self.done: list[bytes | str] = []

    def write(self, data: bytes) -> None:
        self.done.append(data)

    def close(self) -> None:
        self.done.append("closed")

    def is_closing(self) -> bool:
        return "closed" in self.done

    def get_extra_info(self, name: str) -> str:
        return name


def coalescing() -> tuple[Connection, Any]:
    connection = Connection()
    return connection, CoalescingTransport(cast("Any", connection), asyncio.get_running_loop())


async def test_a_head_and_its_body_are_one_write() -> None:
    connection, transport = coalescing()
    transport.write(b"head ")
    transport.write(b"body")
    assert connection.done == []
    await asyncio.sleep(0)
    assert connection.done == [b"head body"]
    transport.writelines([b"ne", b"xt"])
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert connection.done == [b"head body", b"next"]


async def test_what_is_written_before_the_end_comes_before_it() -> None:
    connection, transport = coalescing()
    transport.write(b"last words")
    transport.close()
    transport.write(b"nobody hears this")
    await asyncio.sleep(0)
    assert connection.done == [b"last words", "closed"]


async def test_a_stream_is_not_held_back() -> None:
    connection, transport = coalescing()
    for _ in range(5):
        transport.write(b"x" * 40_000)
    assert [len(written) for written in connection.done] == [80_000, 80_000]
    await asyncio.sleep(0)
    assert len(connection.done[-1]) == 40_000


async def test_everything_else_is_the_connections_own() -> None:
    _, transport = coalescing()
    assert transport.get_extra_info("peername") == "peername"
