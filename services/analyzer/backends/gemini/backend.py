"""Turns material into an analysis by asking Gemini: sound and pictures in groups, then the file as a whole.

The file's own words are kept as they are; what the model wrote is redacted and fits a closed schema.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from analyzer import facts
from analyzer.backends.backend import ArtifactReader
from analyzer.backends.gemini.answers import AnswerT, FileAnswer, PicturesAnswer, SpeechAnswer
from analyzer.backends.gemini.asking import INLINE_BYTES, Asker
from analyzer.backends.gemini.contents import Question, about_file, about_pictures, about_sound, batches
from analyzer.backends.gemini.memory import Paid
from analyzer.backends.gemini.model import GeminiModel
from analyzer.backends.gemini.understanding import Understanding
from analyzer.backends.local.keywords import keywords
from analyzer.backends.local.summary import READ_CHARACTERS, retold
from analyzer.redaction import redact
from analyzer.sampling import spread
from analyzer.words import sentences
from contracts.artifacts import (
    Analysis,
    AnalyzedSegment,
    FailureCode,
    Locator,
    Material,
    MaterialPicture,
    TextSource,
    Usage,
)
from eventing.errors import Reject, RetryLater
from providers.errors import ProviderAnswerInvalid, ProviderRefused, ProviderUnavailable
from providers.outages import Outages

_MOST_SENTENCES = 4
_PICTURES_A_REQUEST = 16
_PARTS_AT_ONCE = 3
"""Of one file: a film of two hours has twenty, and the handler's deadline is nine minutes."""

_SHOWN_CHARACTERS = 200_000
"""Of a file's words, spread over the whole of it: about 50,000 tokens."""


@dataclass(frozen=True)
class _About:
    """What is said of a file as a whole, whoever says it."""

    title: str
    summary: str
    labels: Sequence[str]
    language: str | None


class GeminiBackend:
    """Asks ``model``, which the caller owns and closes.

    Raises ``ProviderPausedError`` before anything is read or paid while nobody may call the provider, and after a
    failure since which that is so.
    """

    def __init__(self, model: GeminiModel) -> None:
        self._model = model
        self._asker = Asker(model)
        self._outages = Outages()

    @property
    def model_id(self) -> str:
        """The provider's name of the model."""
        return self._model.name

    @property
    def prompt_version(self) -> str:
        """Ends in a hash of prompts and schemas, so that no change of theirs is forgotten."""
        return self._asker.prompt_version

    async def analyze(self, material: Material, read: ArtifactReader) -> Analysis:
        """Everything is heard and looked at; of very long texts stretches from beginning to end are shown.

        A file about which there is no answer is told of by its own words, and rejected only where it has none.
        """
        await self._model.gate.check()
        who = hash((material.filename, material.texts, material.pictures, material.speech))
        try:
            with self._outages.as_pauses(who):
                return await self._analyzed(material, read)
        except ProviderUnavailable as error:
            raise _later(error) from error

    async def _analyzed(self, material: Material, read: ArtifactReader) -> Analysis:
        *earlier, last = batches(material.pictures, _PICTURES_A_REQUEST, INLINE_BYTES)
        understood = await self._parts(material, earlier, read)
        asked = about_file(material, last, _SHOWN_CHARACTERS, understood.segments)
        understood.asked.append((asked, FileAnswer))
        try:
            whole = await self._asker.answer(asked, FileAnswer, read)
        except (ProviderRefused, ProviderAnswerInvalid) as error:
            understood.miss_file(last, error)
            found = _found(material, understood)
            if not found:
                raise _nothing_left(error, self._asker.settle(understood.asked)) from error
            return self._composed(material, await asyncio.to_thread(_as_it_says, material, found), understood)
        understood.add_pictures(last, whole)
        return self._composed(material, _as_told(material, whole.answer), understood)

    async def _parts(
        self, material: Material, groups: Sequence[Sequence[MaterialPicture]], read: ArtifactReader
    ) -> Understanding:
        """Sound and earlier pictures, some at a time; when one fails, the others' answers are kept for the next try."""
        places = asyncio.Semaphore(_PARTS_AT_ONCE)

        async def answer(asked: Question, schema: type[AnswerT]) -> Paid[AnswerT]:
            async with places:
                return await self._asker.answer(asked, schema, read)

        audible = [(sound, about_sound(material, sound)) for sound in material.speech if sound.stretches]
        visible = [(group, about_pictures(material, group)) for group in groups]
        hearing = [answer(asked, SpeechAnswer) for _, asked in audible]
        seeing = [answer(asked, PicturesAnswer) for _, asked in visible]
        heard, seen = await asyncio.gather(
            asyncio.gather(*hearing, return_exceptions=True), asyncio.gather(*seeing, return_exceptions=True)
        )
        understood = Understanding()
        understood.asked += [(asked, SpeechAnswer) for _, asked in audible]
        understood.asked += [(asked, PicturesAnswer) for _, asked in visible]
        for (sound, _), said in zip(audible, heard, strict=True):
            if isinstance(said, BaseException):
                understood.miss_speech(sound, said)
            else:
                understood.add_speech(sound, said)
        for (group, _), told in zip(visible, seen, strict=True):
            if isinstance(told, BaseException):
                understood.miss_pictures(group, told)
            else:
                understood.add_pictures(group, told)
        return understood

    def _composed(self, material: Material, about: _About, understood: Understanding) -> Analysis:
        own = facts.metadata_text(material)
        metadata = [AnalyzedSegment(text=own, locator=Locator(), source=TextSource.METADATA)] if own else []
        labels = (material.kind.value, *(redact(label).strip().lower() for label in about.labels))
        return Analysis(
            title=redact(about.title),
            summary=redact(about.summary),
            labels=tuple(dict.fromkeys(label for label in labels if label)),
            language=about.language or material.properties.language,
            segments=(*metadata, *_found(material, understood)),
            moderation=understood.moderation,
            usage=self._asker.settle(understood.asked),
            model_id=self.model_id,
            prompt_version=self.prompt_version,
            degradations=tuple(understood.degradations),
        )


def _as_told(material: Material, answer: FileAnswer) -> _About:
    title = " ".join(answer.title.split()) or facts.title_of(material)
    return _About(title, _short(answer.summary), answer.labels, answer.language)


def _as_it_says(material: Material, found: Sequence[AnalyzedSegment]) -> _About:
    """Of a file about which the model says nothing: its own words, and what was understood of its parts."""
    texts = spread([segment.text for segment in found], READ_CHARACTERS)
    return _About(facts.title_of(material), " ".join(retold(material, texts)), keywords(texts), None)


def _found(material: Material, understood: Understanding) -> Sequence[AnalyzedSegment]:
    texts = [AnalyzedSegment(text=t.text, locator=t.locator, source=t.source) for t in material.texts]
    return sorted([t for t in texts if t.text.strip()] + understood.segments, key=_place_of)


def _short(summary: str) -> str:
    said = list(sentences(summary))
    return " ".join(said[:_MOST_SENTENCES]) if len(said) > _MOST_SENTENCES else summary.strip()


def _place_of(segment: AnalyzedSegment) -> tuple[int, float]:
    return (segment.locator.page or 0, segment.locator.start_s or 0.0)


def _later(error: ProviderUnavailable) -> RetryLater:
    code = FailureCode.QUOTA_EXCEEDED if error.quota else FailureCode.NETWORK
    message = "The analysis service is out of quota." if error.quota else "The analysis service is not reachable."
    return RetryLater(code, message, delay_s=error.retry_after_s or 0)


def _nothing_left(error: ProviderRefused | ProviderAnswerInvalid, usage: Usage) -> Reject:
    if isinstance(error, ProviderAnswerInvalid):
        message = "The analysis service gave an unusable answer twice."
        return Reject(FailureCode.PROVIDER_INVALID, message, retryable=True, usage=usage)
    why = f" ({', '.join(error.categories)})" if error.categories else ""
    return Reject(FailureCode.PROVIDER_REFUSED, f"The analysis service refuses this file{why}.", usage=usage)
