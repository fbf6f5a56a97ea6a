"""Requests over kept connections as fast as they are answered: a fixed GET per connection, counted and timed."""

import asyncio
import time
from dataclasses import dataclass


@dataclass(frozen=True)
class Load:
    """What came of it."""

    per_second: float
    p95_ms: float


async def load(port: int, path: str, headers: dict[str, str], *, connections: int, seconds: float) -> Load:
    """Fails at the first answer that is not 200."""
    lines = [f"GET {path} HTTP/1.1", f"Host: 127.0.0.1:{port}", *(f"{k}: {v}" for k, v in headers.items()), "", ""]
    request = "\r\n".join(lines).encode()
    took: list[float] = []
    began = time.perf_counter()
    await asyncio.gather(*(_client(port, request, began + seconds, took) for _ in range(connections)))
    elapsed = time.perf_counter() - began
    took.sort()
    return Load(len(took) / elapsed, took[int(len(took) * 0.95)] * 1000)


async def _client(port: int, request: bytes, until: float, took: list[float]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        while (sent := time.perf_counter()) < until:
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200"), head
            length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
            await reader.readexactly(int(length))
            took.append(time.perf_counter() - sent)
    finally:
        writer.close()
