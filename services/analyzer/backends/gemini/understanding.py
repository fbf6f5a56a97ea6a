"""Turns the answers about the parts of a file into segments with their places and a verdict."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from analyzer.backends.gemini.answers import PicturesAnswer, SpeechAnswer
from analyzer.backends.gemini.asking import Asked
from analyzer.backends.gemini.contents import picture_ids
from analyzer.backends.gemini.memory import Paid
from analyzer.redaction import redact
from contracts.artifacts import (
    AnalyzedSegment,
    Degradation,
    Locator,
    MaterialPicture,
    MaterialSound,
    Moderation,
    TextSource,
)
from providers.errors import ProviderAnswerInvalid, ProviderRefused

_NO_VERDICT = frozenset({"recitation", "other", "spii"})
"""Reasons to refuse that say nothing bad about the file."""


@dataclass
class Understanding:
    """Grows with every answer about one file."""

    segments: list[AnalyzedSegment] = field(default_factory=list)
    degradations: list[Degradation] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list[Asked])
    _categories: set[str] = field(default_factory=set[str])
    _flagged: bool = False

    @property
    def moderation(self) -> Moderation:
        """Flagged when the model or its provider objected to any part."""
        return Moderation(flagged=self._flagged, categories=tuple(sorted(self._categories)))

    def add_pictures(self, pictures: Sequence[MaterialPicture], paid: Paid[PicturesAnswer]) -> None:
        """Descriptions and the words in the pictures; what the model wrote itself is redacted."""
        told = {picture.id: picture for picture in paid.answer.pictures}
        for name, picture in zip(picture_ids(len(pictures)), pictures, strict=True):
            if name in told:
                self._say(redact(told[name].description), picture.locator, TextSource.SUMMARY)
                self._say(told[name].text, picture.locator, TextSource.OCR)
        if len(told) < len(pictures):
            self._degrade("vision", f"{len(pictures) - len(told)} of {len(pictures)} pictures were not described")
        self._object(paid.answer.moderation.flagged, [*paid.answer.moderation.categories, *paid.harms])

    def add_speech(self, sound: MaterialSound, paid: Paid[SpeechAnswer]) -> None:
        """Utterances in seconds of the file; times beyond the sound are its end."""
        start = sound.locator.start_s or 0.0
        end = sound.locator.end_s if sound.locator.end_s is not None else float("inf")
        for said in paid.answer.utterances:
            begins = min(start + said.start_s, end)
            place = Locator(start_s=begins, end_s=min(max(start + said.end_s, begins), end))
            self._say(said.text, place, TextSource.SPEECH)
        self._object(False, paid.harms)

    def miss_speech(self, sound: MaterialSound, error: BaseException) -> None:
        """See :meth:`_miss`."""
        self._miss("speech", f"What is said{_stretch(sound.locator, sound.locator)}", error)

    def miss_pictures(self, pictures: Sequence[MaterialPicture], error: BaseException) -> None:
        """See :meth:`_miss`."""
        place = _stretch(pictures[0].locator, pictures[-1].locator)
        what = "The picture" if len(pictures) == 1 else f"{len(pictures)} pictures"
        self._miss("vision", f"{what}{place}", error)

    def miss_file(self, pictures: Sequence[MaterialPicture], error: BaseException) -> None:
        """The question about the file as a whole, with which its last pictures were sent; see :meth:`_miss`."""
        self._miss("analysis", "The file as a whole", error)
        if pictures:
            self.miss_pictures(pictures, error)

    def _miss(self, step: str, what: str, error: BaseException) -> None:
        """A part that was refused or could not be understood: the rest of the file is not worse for it.

        Raises every other error again.
        """
        if not isinstance(error, ProviderRefused | ProviderAnswerInvalid):
            raise error
        self._degrade(step, f"{what} could not be understood{_why(error)}.")
        if isinstance(error, ProviderRefused):
            self._object(False, [category for category in error.categories if category not in _NO_VERDICT])

    def _object(self, flagged: bool, categories: Sequence[str]) -> None:
        self._flagged = self._flagged or flagged or bool(categories)
        self._categories |= set(categories)

    def _degrade(self, step: str, reason: str) -> None:
        self.degradations.append(Degradation(step=step, reason=reason[:500]))

    def _say(self, text: str, locator: Locator, source: TextSource) -> None:
        if text.strip():
            self.segments.append(AnalyzedSegment(text=text.strip(), locator=locator, source=source))


def _stretch(first: Locator, last: Locator) -> str:
    """From where to where, in words that go on a sentence; nothing where places say nothing."""
    if first.page is not None and last.page is not None:
        return f" on page {first.page}" if first.page == last.page else f" on pages {first.page} to {last.page}"
    if first.start_s is None:
        return ""
    end_s = last.start_s if last.end_s is None else last.end_s
    return f" from {_clock(first.start_s)} to {_clock(end_s if end_s is not None else first.start_s)}"


def _clock(seconds: float) -> str:
    minutes, s = divmod(round(seconds), 60)
    hours, m = divmod(minutes, 60)
    return f"{hours}:{m:02}:{s:02}" if hours else f"{m}:{s:02}"


def _why(error: ProviderRefused | ProviderAnswerInvalid) -> str:
    """The service's own word where it refused; what was wrong with an answer is nothing for the owner."""
    if isinstance(error, ProviderAnswerInvalid):
        return ""
    named = f" ({', '.join(error.categories)})" if error.categories else ""
    return f": the analysis service refuses it{named}"
