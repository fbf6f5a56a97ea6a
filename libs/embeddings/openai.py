"""Turns text into vectors by OpenAI's embeddings API through its official SDK; every answer is checked before use.

The SDK's own retries are off: whoever calls decides when to try again, so attempts never multiply.
"""

import asyncio
from collections.abc import Sequence

import numpy as np
import openai
from openai.types import CreateEmbeddingResponse

from embeddings.encoder import (
    Encoded,
    Encoder,
    EncoderAnswerInvalid,
    EncoderError,
    EncoderRefused,
    EncoderUnavailable,
    Vectors,
    normalised,
)
from providers.gate import ProviderGate
from providers.prices import Price
from providers.retry_after import retry_after_s
from providers.statuses import Meaning, meaning_of

MAX_TEXTS = 100
"""Texts in one request."""

_SPENT = "insufficient_quota"


class OpenAIEncoder(Encoder):
    """``text-embedding-3-small`` unless told otherwise, or any server that speaks the same wire format.

    ``base_url`` None means OpenAI's own; ``timeout_s`` bounds one request. Every request goes through ``gate`` and is
    charged to its budget at ``price``; while the gate is closed ``ProviderPausedError`` is raised. Else raises
    :class:`~embeddings.encoder.EncoderUnavailable` for timeouts, broken connections, and statuses that may pass or that
    an operator can mend (:mod:`providers.statuses`), of which the latter also close the gate for a minute;
    :class:`~embeddings.encoder.EncoderRefused` for other statuses and :class:`~embeddings.encoder.EncoderAnswerInvalid`
    for an answer that is not what was asked for.
    """

    def __init__(
        self,
        api_key: str,
        *,
        base_url: str | None = None,
        model: str = "text-embedding-3-small",
        dimensions: int = 1536,
        timeout_s: float = 30,
        gate: ProviderGate | None = None,
        price: Price | None = None,
    ) -> None:
        self._client = openai.AsyncOpenAI(api_key=api_key, base_url=base_url, timeout=timeout_s, max_retries=0)
        self._timeout_s = timeout_s
        self._model = model
        self._dimensions = dimensions
        self._gate = gate or ProviderGate("openai")
        self._price = price or Price(input_usd=0)

    @property
    def model_id(self) -> str:
        """The model, and its dimensions because they can be chosen."""
        return f"{self._model}@{self._dimensions}"

    @property
    def dimensions(self) -> int:
        """As constructed."""
        return self._dimensions

    async def encode(self, texts: Sequence[str]) -> Encoded:
        """Asks for at most 100 texts at a time, one request after the other."""
        chunks = [list(texts[i : i + MAX_TEXTS]) for i in range(0, len(texts), MAX_TEXTS)]
        return Encoded.joined([await self._encode(chunk) for chunk in chunks], self._dimensions)

    async def aclose(self) -> None:
        """Closes the connections, the gate's too."""
        await self._client.close()
        await self._gate.aclose()

    async def _encode(self, texts: list[str]) -> Encoded:
        # The API refuses an empty text; a space stands for it.
        asked = [text.encode("utf-8", "replace").decode() or " " for text in texts]
        async with self._gate.call():
            answer, tokens = await self._answer(asked)
            return _shared_out(self._checked(answer, len(texts)), asked, tokens, self._price)

    async def _answer(self, asked: list[str]) -> tuple[CreateEmbeddingResponse, int]:
        try:
            # The SDK's own timeout begins anew with every byte that comes.
            async with asyncio.timeout(self._timeout_s):
                answer = await self._client.embeddings.create(
                    model=self._model, input=asked, dimensions=self._dimensions
                )
            # Paid for whether the answer is usable or not; some servers that speak this format count nothing.
            tokens = int(answer.usage.prompt_tokens) if answer.usage else 0
            self._gate.charge(self._price, tokens)
        except openai.APIError as error:
            raise _translated(error) from error
        except TimeoutError as error:
            raise EncoderUnavailable(f"no whole answer within {self._timeout_s:g} s") from error
        except (ValueError, TypeError, AttributeError) as error:
            raise EncoderAnswerInvalid(f"the provider's answer cannot be read: {type(error).__name__}") from error
        return answer, tokens

    def _checked(self, answer: CreateEmbeddingResponse, count: int) -> Vectors:
        try:
            rows = {item.index: np.asarray(item.embedding, np.float32) for item in answer.data}
        except (ValueError, TypeError, AttributeError) as error:
            raise EncoderAnswerInvalid(f"the provider's answer cannot be read: {type(error).__name__}") from error
        if len(answer.data) != count or set(rows) != set(range(count)):
            raise EncoderAnswerInvalid(f"asked for {count} vectors, got {len(answer.data)} or a wrong index")
        wrong = {row.shape for row in rows.values()} - {(self._dimensions,)}
        if wrong:
            raise EncoderAnswerInvalid(f"asked for {self._dimensions} dimensions, got shapes {sorted(wrong)}")
        return normalised(np.stack([rows[i] for i in range(count)]))


def _shared_out(vectors: Vectors, texts: Sequence[str], tokens: int, price: Price) -> Encoded:
    """Gives each text of a request its part of the tokens, by length; the parts add up to the whole."""
    lengths = np.cumsum([len(text) for text in texts])
    parts = np.diff(lengths * tokens // lengths[-1], prepend=0).astype(np.int64)
    return Encoded(vectors, parts, np.array([price.cost_usd(int(part)) for part in parts]))


def _translated(error: openai.APIError) -> EncoderError:
    """The one place where a provider's failure becomes permanent, temporary or an invalid answer."""
    if isinstance(error, openai.APIConnectionError):  # timeouts are a kind of it
        return EncoderUnavailable(f"the embedding provider cannot be reached: {type(error).__name__}")
    if isinstance(error, openai.APIStatusError):
        status = error.status_code
        message = f"the embedding provider answered {status}"
        meaning = meaning_of(status)
        if meaning is Meaning.REFUSED:
            return EncoderRefused(message)
        pause = meaning.pause_s(retry_after_s(error.response.headers))
        return EncoderUnavailable(message, retry_after_s=pause, quota=status == 429 or error.code == _SPENT)
    return EncoderAnswerInvalid(f"the embedding provider's answer cannot be read: {type(error).__name__}")
