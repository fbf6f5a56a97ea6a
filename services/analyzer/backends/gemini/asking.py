"""Turns a question about a file into an answer of its schema: remembered, or asked for, at most twice."""

import asyncio
import hashlib
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import cast
from weakref import WeakValueDictionary

from google.genai import types

from analyzer.backends.backend import ArtifactReader
from analyzer.backends.gemini.answers import (
    AnswerT,
    Closed,
    FileAnswer,
    PicturesAnswer,
    SpeechAnswer,
    parsed,
    wire_schema,
)
from analyzer.backends.gemini.contents import Question
from analyzer.backends.gemini.memory import Paid, PaidAnswers, total
from analyzer.backends.gemini.model import GeminiModel
from analyzer.prompts.prompt import instructions
from contracts.artifacts import ArtifactRef, Usage
from providers.errors import ProviderAnswerInvalid

INLINE_BYTES = 12_000_000
"""In one request, before base64 makes them a third larger; the provider takes 20 MB."""

Asked = tuple[Question, type[Closed]]
"""A question, and the schema of its answer."""

_PROMPT = "1"
_TRIES = 2


class Asker:
    """Asks ``model``. Raises the errors of ``providers.errors``."""

    def __init__(self, model: GeminiModel) -> None:
        self._model = model
        self._paid = PaidAnswers()
        self._in_hand: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._tasks: dict[type[Closed], str] = {
            FileAnswer: instructions("file"),
            PicturesAnswer: instructions("pictures"),
            SpeechAnswer: instructions("speech"),
        }
        self._schemas = {schema: wire_schema(schema) for schema in self._tasks}
        told = "\x00".join([*self._tasks.values(), *map(str, self._schemas.values())])
        self.prompt_version = f"{_PROMPT}-{hashlib.sha256(told.encode()).hexdigest()[:8]}"

    def settle(self, everything: Sequence[Asked]) -> Usage:
        """What was paid for it, answered or not, and has been on no bill yet: the sum over files is what was paid."""
        usage = Usage()
        for asked, schema in everything:
            usage = total(usage, self._paid.settle(_key(asked, schema)))
        return usage

    async def answer(self, asked: Question, schema: type[AnswerT], read: ArtifactReader) -> Paid[AnswerT]:
        """An answer that cannot be used is paid for and asked for once more. Who asks the same meanwhile waits."""
        key = _key(asked, schema)
        async with self._in_hand.setdefault(key, asyncio.Lock()):
            return await self._recalled_or_asked(key, asked, schema, read)

    async def _recalled_or_asked(
        self, key: str, asked: Question, schema: type[AnswerT], read: ArtifactReader
    ) -> Paid[AnswerT]:
        known = self._paid.recall(key)
        if known is not None:
            return cast(Paid[AnswerT], known)
        async with self._parts(asked, read) as parts:
            for left in reversed(range(_TRIES)):
                try:
                    async with self._model.generate(self._tasks[schema], parts, self._schemas[schema]) as reply:
                        self._paid.charge(key, reply.usage)
                        answer = parsed(reply.text, schema, asked.picture_ids)
                        return self._paid.remember(key, answer, reply.harms)
                except ProviderAnswerInvalid:
                    if not left:
                        raise
        raise AssertionError("the last try returns or raises")

    @asynccontextmanager
    async def _parts(self, asked: Question, read: ArtifactReader) -> AsyncGenerator[list[types.Part], None]:
        """The request's content; what had to be uploaded for it is deleted afterwards."""
        uploaded: list[types.File] = []
        parts = [types.Part.from_text(text=asked.data)]
        try:
            for caption, ref in asked.shown:
                parts += [types.Part.from_text(text=caption), await self._part(ref, read, uploaded)]
            yield parts
        finally:
            for file in uploaded:
                await self._model.forget(file)

    async def _part(self, ref: ArtifactRef, read: ArtifactReader, uploaded: list[types.File]) -> types.Part:
        if self._model.reads_buckets:
            return types.Part.from_uri(file_uri=f"gs://{ref.bucket}/{ref.key}", mime_type=ref.media_type)
        data = await read(ref)
        if len(data) <= INLINE_BYTES:
            return types.Part.from_bytes(data=data, mime_type=ref.media_type)
        uploaded.append(await self._model.upload(data, ref.media_type))
        return types.Part.from_uri(file_uri=uploaded[-1].uri or "", mime_type=ref.media_type)


def _key(asked: Question, schema: type[Closed]) -> str:
    return f"{schema.__name__} {asked.fingerprint}"
