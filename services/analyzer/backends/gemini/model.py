"""One call to Gemini through its official SDK: parts in, what it cost out, and the answer's text or why there is none.

The SDK's own retries stay off: the pipeline decides when to try again, so attempts never multiply.
"""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import Any, Self

import httpx2
import structlog
from google import genai
from google.auth.exceptions import GoogleAuthError
from google.genai import errors, types

from analyzer.backends.gemini.failures import REFUSALS, translated
from contracts.artifacts import Usage
from providers.errors import ProviderAnswerInvalid, ProviderError, ProviderRefused, ProviderUnavailable
from providers.gate import ProviderGate
from providers.prices import Price

_HARMS = (
    types.HarmCategory.HARM_CATEGORY_HARASSMENT,
    types.HarmCategory.HARM_CATEGORY_HATE_SPEECH,
    types.HarmCategory.HARM_CATEGORY_SEXUALLY_EXPLICIT,
    types.HarmCategory.HARM_CATEGORY_DANGEROUS_CONTENT,
)
_MOST_OUTPUT_TOKENS = 65_536
_UNREADABLE = (ValueError, TypeError, AttributeError, KeyError)
_log = structlog.get_logger()


@dataclass(frozen=True)
class Reply:
    """What came back and was paid for, however it ended."""

    usage: Usage
    _response: types.GenerateContentResponse

    @property
    def text(self) -> str:
        """What the model wrote. Raises ``ProviderRefused``, and ``ProviderAnswerInvalid`` for half an answer."""
        return _text_of(self._response)

    @property
    def harms(self) -> tuple[str, ...]:
        """Those that the provider saw in the file or in the text."""
        return _harms_of(self._response)


class GeminiModel:
    """``client`` must have been made with its retries off. Calls go through ``gate`` and are charged to its budget.

    An async context: leaving it closes client and gate. Raises only errors of ``providers.errors``.
    """

    def __init__(
        self, client: genai.Client, model: str, gate: ProviderGate, price: Price, *, timeout_s: float = 120
    ) -> None:
        self._client = client
        self._price = price
        self._timeout_s = timeout_s
        self.gate = gate
        self.name = model

    @property
    def reads_buckets(self) -> bool:
        """True where ``gs://`` URIs are taken instead of bytes (Vertex AI)."""
        return bool(self._client.vertexai)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        """Closes the connections, the gate's too."""
        await self._client.aio.aclose()
        self._client.close()
        await self.gate.aclose()

    @asynccontextmanager
    async def generate(
        self, system: str, parts: Sequence[types.Part], schema: dict[str, Any]
    ) -> AsyncGenerator[Reply, None]:
        """One reply, of the schema if the model obeys; who reads it inside has its call counted as it really ended."""
        config = types.GenerateContentConfig(
            system_instruction=system,
            response_mime_type="application/json",
            response_json_schema=schema,
            max_output_tokens=_MOST_OUTPUT_TOKENS,
            temperature=0,
            candidate_count=1,
            # What is objectionable is the verdict's business; a file that nobody may look at is a failed one.
            safety_settings=[
                types.SafetySetting(category=harm, threshold=types.HarmBlockThreshold.BLOCK_NONE) for harm in _HARMS
            ],
        )
        content = types.Content(role="user", parts=list(parts))
        async with self.gate.call():
            response = await self._asked(
                self._client.aio.models.generate_content(model=self.name, contents=[content], config=config)
            )
            yield Reply(self._charged(response), response)

    async def upload(self, data: bytes, media_type: str) -> types.File:
        """Hands a large input to the Files API; :meth:`forget` it after use."""
        config = types.UploadFileConfig(mime_type=media_type)
        async with self.gate.call():
            file = await self._asked(self._client.aio.files.upload(file=BytesIO(data), config=config))
            if not file.uri or not file.name:
                raise ProviderUnavailable("the Files API named no file")
            return file

    async def forget(self, file: types.File) -> None:
        """Deletes an uploaded file; where that fails the provider does after two days."""
        try:
            await self._asked(self._client.aio.files.delete(name=file.name or ""))
        except ProviderError as error:
            _log.warning("an uploaded file stays with the provider for now", reason=str(error))

    async def _asked(self, call: Any) -> Any:
        """The one place where the SDK's and the network's failures become ours."""
        try:
            async with asyncio.timeout(self._timeout_s):
                return await call
        except errors.APIError as error:
            raise translated(error) from error
        except (httpx2.TransportError, TimeoutError, OSError, GoogleAuthError) as error:
            raise ProviderUnavailable(f"the model cannot be reached: {type(error).__name__}") from error
        except (httpx2.DecodingError, *_UNREADABLE) as error:
            raise ProviderAnswerInvalid(f"the answer cannot be read: {type(error).__name__}") from error

    def _charged(self, response: types.GenerateContentResponse) -> Usage:
        counted = response.usage_metadata or types.GenerateContentResponseUsageMetadata()
        tokens_in = max(counted.prompt_token_count or 0, 0)
        tokens_out = max((counted.candidates_token_count or 0) + (counted.thoughts_token_count or 0), 0)
        sound = sum(
            part.token_count or 0
            for part in counted.prompt_tokens_details or ()
            if part.modality is types.MediaModality.AUDIO
        )
        cost = self.gate.charge(self._price, tokens_in, tokens_out, audio_tokens=sound)
        return Usage(input_tokens=tokens_in, output_tokens=tokens_out, cost_usd=cost)


def _text_of(response: types.GenerateContentResponse) -> str:
    feedback = response.prompt_feedback
    if feedback and feedback.block_reason:
        blocked = (feedback.block_reason.value.lower(), *_harms(feedback.safety_ratings))
        raise ProviderRefused("the model refuses to look at this file", categories=tuple(dict.fromkeys(blocked)))
    candidate = (response.candidates or [None])[0]
    if candidate is None:
        raise ProviderAnswerInvalid("the model gave no answer")
    reason = candidate.finish_reason.value if candidate.finish_reason else "STOP"
    if reason in REFUSALS:
        refused = (reason.lower(), *_harms(candidate.safety_ratings))
        raise ProviderRefused("the model refuses to describe this file", categories=tuple(dict.fromkeys(refused)))
    if reason != "STOP":
        raise ProviderAnswerInvalid(f"the model stopped early: {reason[:60]}")
    parts = (candidate.content.parts if candidate.content else None) or []
    text = "".join(part.text or "" for part in parts if not part.thought)
    if not text.strip():
        raise ProviderAnswerInvalid("the model's answer is empty")
    return text


def _harms_of(response: types.GenerateContentResponse) -> tuple[str, ...]:
    feedback = response.prompt_feedback.safety_ratings if response.prompt_feedback else None
    said = [candidate.safety_ratings for candidate in response.candidates or []]
    return tuple(dict.fromkeys(harm for ratings in (feedback, *said) for harm in _harms(ratings)))


def _harms(ratings: Sequence[types.SafetyRating] | None) -> list[str]:
    """Only what the provider is sure of."""
    sure = [
        rating.category.value.removeprefix("HARM_CATEGORY_").lower()
        for rating in ratings or ()
        if rating.category and (rating.blocked or rating.probability is types.HarmProbability.HIGH)
    ]
    return sorted(set(sure))
