"""Turns many small encode calls of files worked on at once into few full requests to a remote encoder.

While a request is under way the next one waits for company, at most 50 ms; while none is, nobody waits. Local encoders
gain nothing from it and are used as they are.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import groupby

from embeddings.encoder import Encoded, Encoder, EncoderAnswerInvalid, EncoderError, EncoderRefused, Vector
from providers.errors import ProviderPausedError


@dataclass(frozen=True)
class _Waiting:
    """A text, the vector it is to have, and which call of ``encode`` it is of."""

    text: str
    future: asyncio.Future[Encoded]
    caller: object


class BatchingEncoder(Encoder):
    """An encoder that gathers texts of concurrent callers into requests of up to ``max_texts``.

    A failed request fails every caller in it alike, except that texts which are refused, or whose answer cannot be
    used, are asked for once more caller by caller, so that one file's text never fails another file. A refusal of one
    caller's texts alone stays one. Belongs to one event loop.
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
        return Encoded.joined(await self._gathered(texts), self.dimensions)

    async def encode_query(self, text: str) -> Vector:
        """Queries do not wait."""
        return await self._encoder.encode_query(text)

    async def _gathered(self, texts: Sequence[str]) -> list[Encoded]:
        loop = asyncio.get_running_loop()
        futures = [loop.create_future() for _ in texts]
        caller = object()
        self._waiting += [_Waiting(text, future, caller) for text, future in zip(texts, futures, strict=True)]
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
        wanted = [waiting for waiting in batch if not waiting.future.done()]
        if wanted:
            request = asyncio.create_task(self._request(wanted))
            self._requests.add(request)
            request.add_done_callback(self._requests.discard)

    async def _request(self, batch: Sequence[_Waiting]) -> None:
        callers = [list(own) for _, own in groupby(batch, lambda waiting: waiting.caller)]
        try:
            await self._ask(batch)
        except EncoderRefused as error:
            if len(callers) == 1:
                self._fail(batch, error)
            else:
                await asyncio.gather(*map(self._ask_once_more, callers))
        except EncoderAnswerInvalid:
            await asyncio.gather(*map(self._ask_once_more, callers))
        except (EncoderError, ProviderPausedError) as error:
            self._fail(batch, error)
        except Exception as error:
            self._fail(batch, error)
            raise

    async def _ask_once_more(self, own: Sequence[_Waiting]) -> None:
        try:
            await self._ask(own)
        except Exception as error:
            self._fail(own, error)
            if not isinstance(error, EncoderError | ProviderPausedError):
                raise

    async def _ask(self, batch: Sequence[_Waiting]) -> None:
        encoded = await self._encoder.encode([waiting.text for waiting in batch])
        for row, waiting in enumerate(batch):
            if not waiting.future.done():
                waiting.future.set_result(encoded.of([row]))

    @staticmethod
    def _fail(batch: Sequence[_Waiting], error: Exception) -> None:
        for waiting in batch:
            if not waiting.future.done():
                waiting.future.set_exception(error)
