"""A request's bytes into a body file: collected into large blocks and written by a thread while the next
bytes arrive, so that neither memory nor the event loop feels the size."""

import asyncio

from localcloud.storage.bodies import BLOCK_BYTES, BodyWriter


class Intake:
    """Feeds one `BodyWriter`; only whole multiples of `granule` bytes are written before the end is known."""

    def __init__(self, writer: BodyWriter, granule: int = 1) -> None:
        self._writer = writer
        self._granule = granule
        self._collected = bytearray()
        self._writing: asyncio.Future[None] | None = None
        self.received = 0

    async def take(self, chunk: bytes) -> None:
        """The next bytes; waits only while the block before is still being written."""
        self.received += len(chunk)
        self._collected += chunk
        if len(self._collected) >= BLOCK_BYTES:
            await self.settle()
            self._begin_write()

    async def settle(self) -> None:
        """Wait for the write under way; raises what it raised."""
        if self._writing is not None:
            writing, self._writing = self._writing, None
            # A cancelled request must not free the file under the thread's hands.
            await asyncio.shield(writing)

    async def flush(self) -> None:
        """Write every whole granule received so far."""
        await self.settle()
        self._begin_write()
        await self.settle()

    async def drain(self) -> bytes:
        """Settle, and hand over what is not written yet (the caller writes it with its last step)."""
        await self.settle()
        rest, self._collected = bytes(self._collected), bytearray()
        return rest

    def _begin_write(self) -> None:
        whole = len(self._collected) // self._granule * self._granule
        if not whole:
            return
        block = bytes(self._collected[:whole])
        del self._collected[:whole]
        self._writing = asyncio.get_running_loop().run_in_executor(None, self._writer.write, block)
