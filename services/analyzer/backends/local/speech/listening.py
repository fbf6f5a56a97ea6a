"""Turns the sound of a file into segments of speech, one for each stretch that is not silent, within a time budget."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from analyzer.backends.backend import ArtifactReader
from analyzer.backends.local.speech.mel import SAMPLE_RATE, Samples
from contracts.artifacts import AnalyzedSegment, Degradation, Locator, MaterialSound, TextSource


class SoundUnreadable(Exception):
    """These bytes are not sound."""


@dataclass(frozen=True)
class Heard:
    """What was said; no text where nothing was."""

    text: str
    language: str | None


class SpeechModel(Protocol):
    """Writes down what is said; called by one thread at a time."""

    name: str

    def transcribe(self, samples: Samples) -> Heard:
        """The words in at most 30 s of sound."""
        ...


@dataclass
class Listened:
    """What was heard in a file, in order; ``language`` is that of the first words."""

    segments: list[AnalyzedSegment] = field(default_factory=list)
    language: str | None = None
    degradations: list[Degradation] = field(default_factory=list)


class Listener:
    """Hears one stretch of sound at a time, whoever asks. Belongs to one event loop.

    ``decode`` turns encoded sound into samples (``sound.decoded``; it raises :class:`SoundUnreadable`).
    ``budget_s`` is how long one file may take, waiting for other files included.
    """

    def __init__(self, model: SpeechModel, decode: Callable[[bytes], Samples], *, budget_s: float = 240) -> None:
        self._model = model
        self._decode = decode
        self._budget_s = budget_s
        self._turn = asyncio.Lock()

    @property
    def name(self) -> str:
        """The model's."""
        return self._model.name

    async def listen(self, sounds: Sequence[MaterialSound], read: ArtifactReader) -> Listened:
        """From the beginning; after the budget the rest is left out and the result says so."""
        clock = asyncio.get_running_loop().time
        ends = clock() + self._budget_s
        listened = Listened()
        for sound in sounds:
            try:
                samples = await asyncio.to_thread(self._decode, await read(sound.audio))
            except SoundUnreadable as error:
                listened.degradations.append(Degradation(step="speech", reason=str(error)))
                continue
            for stretch in sound.stretches:
                if clock() > ends:
                    reason = f"speech after {stretch.start_s or 0:.0f} s was not heard: time ran out"
                    listened.degradations.append(Degradation(step="speech", reason=reason))
                    return listened
                await self._hear(_cut(samples, sound.locator, stretch), stretch, listened)
        return listened

    async def _hear(self, samples: Samples, place: Locator, listened: Listened) -> None:
        async with self._turn:
            heard = await asyncio.to_thread(self._model.transcribe, samples)
        if heard.text:
            listened.language = listened.language or heard.language
            listened.segments.append(AnalyzedSegment(text=heard.text, locator=place, source=TextSource.SPEECH))


def _cut(samples: Samples, whole: Locator, stretch: Locator) -> Samples:
    start = whole.start_s or 0.0
    begin = max((stretch.start_s or 0.0) - start, 0)
    end = (stretch.end_s or 0.0) - start
    return samples[round(begin * SAMPLE_RATE) : max(round(end * SAMPLE_RATE), 0)]
