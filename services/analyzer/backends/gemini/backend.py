"""Turns material into an analysis by asking Gemini: sound and pictures in groups, then the file as a whole.

The file's own words are kept as they are; what the model wrote is redacted and fits a closed schema.
"""

import asyncio
import hashlib
from collections.abc import Sequence

from analyzer import facts
from analyzer.backends.backend import ArtifactReader
from analyzer.backends.gemini.answers import AnswerT, FileAnswer, PicturesAnswer, SpeechAnswer
from analyzer.backends.gemini.asking import INLINE_BYTES, Asker
from analyzer.backends.gemini.contents import Question, about_file, about_pictures, about_sound, batches
from analyzer.backends.gemini.memory import Paid
from analyzer.backends.gemini.model import GeminiModel
from analyzer.backends.gemini.understanding import Understanding
from analyzer.redaction import redact
from analyzer.words import sentences
from contracts.artifacts import Analysis, AnalyzedSegment, FailureCode, Locator, Material, MaterialPicture, TextSource
from eventing.errors import Reject, RetryLater
from providers.errors import ProviderAnswerInvalid, ProviderRefused, ProviderUnavailable
from providers.outages import Outages

_MOST_SENTENCES = 4
_PICTURES_A_REQUEST = 16
_PARTS_AT_ONCE = 3
"""Of one file: a film of two hours has twenty, and the handler's deadline is nine minutes."""

_SHOWN_CHARACTERS = 200_000
"""Of a file's words, spread over the whole of it: about 50,000 tokens."""


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
        """Everything is heard and looked at; of very long texts stretches from beginning to end are shown."""
        await self._model.gate.check()
        *earlier, last = batches(material.pictures, _PICTURES_A_REQUEST, INLINE_BYTES)
        try:
            understood = await self._parts(material, earlier, read)
            asked = about_file(material, last, _SHOWN_CHARACTERS, understood.segments)
            whole = await self._asker.answer(asked, FileAnswer, read)
        except ProviderUnavailable as error:
            self._outages.wait_out(hashlib.sha256(material.model_dump_json().encode()).hexdigest(), error)
            raise _later(error) from error
        except ProviderRefused as error:
            raise Reject(FailureCode.PROVIDER_REFUSED, _refusal(error)) from error
        except ProviderAnswerInvalid as error:
            message = "The analysis service gave an unusable answer twice."
            raise Reject(FailureCode.PROVIDER_INVALID, message, retryable=True) from error
        understood.add_pictures(last, whole)
        return self._composed(material, whole.answer, understood)

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
        for (sound, asked), said in zip(audible, heard, strict=True):
            if isinstance(said, BaseException):
                understood.miss_speech(sound, said, self._asker.bill(asked, SpeechAnswer))
            else:
                understood.add_speech(sound, said)
        for (group, asked), told in zip(visible, seen, strict=True):
            if isinstance(told, BaseException):
                understood.miss_pictures(group, told, self._asker.bill(asked, PicturesAnswer))
            else:
                understood.add_pictures(group, told)
        return understood

    def _composed(self, material: Material, answer: FileAnswer, understood: Understanding) -> Analysis:
        own = facts.metadata_text(material)
        about = [AnalyzedSegment(text=own, locator=Locator(), source=TextSource.METADATA)] if own else []
        texts = [AnalyzedSegment(text=t.text, locator=t.locator, source=t.source) for t in material.texts]
        found = sorted([t for t in texts if t.text.strip()] + understood.segments, key=_place_of)
        labels = (material.kind.value, *(redact(label).strip().lower() for label in answer.labels))
        return Analysis(
            title=redact(" ".join(answer.title.split()) or facts.title_of(material)),
            summary=redact(_short(answer.summary)),
            labels=tuple(dict.fromkeys(label for label in labels if label)),
            language=answer.language or material.properties.language,
            segments=(*about, *found),
            moderation=understood.moderation,
            usage=understood.usage,
            model_id=self.model_id,
            prompt_version=self.prompt_version,
            degradations=tuple(understood.degradations),
        )


def _short(summary: str) -> str:
    said = list(sentences(summary))
    return " ".join(said[:_MOST_SENTENCES]) if len(said) > _MOST_SENTENCES else summary.strip()


def _place_of(segment: AnalyzedSegment) -> tuple[int, float]:
    return (segment.locator.page or 0, segment.locator.start_s or 0.0)


def _later(error: ProviderUnavailable) -> RetryLater:
    code = FailureCode.QUOTA_EXCEEDED if error.quota else FailureCode.NETWORK
    message = "The analysis service is out of quota." if error.quota else "The analysis service is not reachable."
    return RetryLater(code, message, delay_s=error.retry_after_s or 0)


def _refusal(error: ProviderRefused) -> str:
    why = f" ({', '.join(error.categories)})" if error.categories else ""
    return f"The analysis service refuses this file{why}."
