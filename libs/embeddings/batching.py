"""Turns many small encode calls of files worked on at once into few full requests to a remote encoder.

While a request is under way the next one waits for company, at most 50 ms; while none is, nobody waits. Local encoders
gain nothing from it and are used as they are.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress

from embeddings.encoder import Encoded, Encoder, EncoderError, EncoderRefused, Vector
from providers.errors import ProviderPausedError

_Waiting = tuple[str, asyncio.Future[Encoded]]


class BatchingEncoder(Encoder):
    """An encoder that gathers texts of concurrent callers into requests of up to ``max_texts``.

    A failed request fails every caller in it alike, except that refused texts are asked for caller by caller, so
    that one file's text never fails another file. Belongs to one event loop.
    """

    def __init__(self, encoder: Encoder, *, max_texts: int = 100, wait_s: float = 0.05) -> None:
        self._encoder = encoder
        self._max_texts = max_texts
        self._wait_s = wait_s
        self._waiting: list[_Waiting] = []
        self._timer: asyncio.TimerHandle | None = None
        self._requests: set[asyncio.Task[None]] = set()

    @property
    def model_id(self) -> str:
        """The inner encoder's."""
        return self._encoder.model_id

    @property
    def dimensions(self) -> int:
        """The inner encoder's."""
        return self._encoder.dimensions

    async def encode(self, texts: Sequence[str]) -> Encoded:
        """Row i is of text i, whatever requests they went in."""
        if not texts:
            return Encoded.joined([], self.dimensions)
        try:
            return Encoded.joined(await self._gathered(texts), self.dimensions)
        except EncoderRefused:
            return await self._encoder.encode(texts)

    async def encode_query(self, text: str) -> Vector:
        """Queries do not wait."""
        return await self._encoder.encode_query(text)

    async def _gathered(self, texts: Sequence[str]) -> list[Encoded]:
        loop = asyncio.get_running_loop()
        futures = [loop.create_future() for _ in texts]
        self._waiting += zip(texts, futures, strict=True)
        while len(self._waiting) >= self._max_texts:
            self._send()
        if self._waiting and self._timer is None:
            self._timer = loop.call_later(self._wait_s if self._requests else 0, self._send)
        try:
            return await asyncio.gather(*futures)
        finally:
            for future in futures:
                future.cancel()
                with suppress(asyncio.CancelledError):
                    future.exception()  # seen, so that nobody complains about it later

    def _send(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        batch, self._waiting = self._waiting[: self._max_texts], self._waiting[self._max_texts :]
        wanted = [(text, future) for text, future in batch if not future.done()]
        if wanted:
            request = asyncio.create_task(self._request(wanted))
            self._requests.add(request)
            request.add_done_callback(self._requests.discard)

    async def _request(self, batch: Sequence[_Waiting]) -> None:
        try:
            encoded = await self._encoder.encode([text for text, _ in batch])
        except (EncoderError, ProviderPausedError) as error:
            self._settle(batch, error)
        except Exception as error:
            self._settle(batch, error)
            raise
        else:
            for row, (_, future) in enumerate(batch):
                if not future.done():
                    future.set_result(encoded.of([row]))

    @staticmethod
    def _settle(batch: Sequence[_Waiting], error: Exception) -> None:
        for _, future in batch:
            if not future.done():
                future.set_exception(error)
