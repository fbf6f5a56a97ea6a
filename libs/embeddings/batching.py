"""Turns many small encode calls of files worked on at once into few full requests to a remote encoder.

A request waits at most 50 ms for company. Local encoders gain nothing from it and are used as they are.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress

import numpy as np

from embeddings.encoder import Encoder, EncoderError, EncoderRefused, Vector, Vectors
from providers.errors import ProviderPausedError

_Waiting = tuple[str, asyncio.Future[Vector]]


class BatchingEncoder:
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

    async def encode_documents(self, texts: Sequence[str]) -> Vectors:
        """Row i is the vector of text i, whatever requests they went in."""
        if not texts:
            return np.empty((0, self.dimensions), np.float32)
        try:
            return np.stack(await self._gathered(texts))
        except EncoderRefused:
            return await self._encoder.encode_documents(texts)

    async def encode_query(self, text: str) -> Vector:
        """Queries do not wait."""
        return await self._encoder.encode_query(text)

    async def _gathered(self, texts: Sequence[str]) -> list[Vector]:
        loop = asyncio.get_running_loop()
        futures = [loop.create_future() for _ in texts]
        self._waiting += zip(texts, futures, strict=True)
        while len(self._waiting) >= self._max_texts:
            self._send()
        if self._waiting and self._timer is None:
            self._timer = loop.call_later(self._wait_s, self._send)
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
            vectors = await self._encoder.encode_documents([text for text, _ in batch])
        except (EncoderError, ProviderPausedError) as error:
            self._settle(batch, error)
        except Exception as error:
            self._settle(batch, error)
            raise
        else:
            for (_, future), vector in zip(batch, vectors, strict=True):
                if not future.done():
                    future.set_result(vector)

    @staticmethod
    def _settle(batch: Sequence[_Waiting], error: Exception) -> None:
        for _, future in batch:
            if not future.done():
                future.set_exception(error)
