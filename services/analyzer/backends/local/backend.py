"""Turns material into an analysis on this machine: OCR, extracted text, extractive summary, keywords, language.

Nothing in a file can change what is done with it: its text is only counted, quoted and indexed.
"""

import asyncio
from collections.abc import Sequence

from analyzer.backends.backend import PictureReader
from analyzer.backends.local import facts
from analyzer.backends.local.keywords import keywords
from analyzer.backends.local.language import LanguageGuesser
from analyzer.backends.local.ocr import OcrProcess
from analyzer.backends.local.pictures import Seen, look_at
from analyzer.backends.local.sampling import spread
from analyzer.backends.local.summary import MOST_SENTENCES, summarize
from analyzer.redaction import redact
from contracts.artifacts import Analysis, AnalyzedSegment, Kind, Locator, Material, TextSource

_READ = 1_000_000
"""Characters looked at for summary and keywords, spread over the whole file: about a second of work."""

_QUOTE = 160


class LocalBackend:
    """Reads pictures through ``ocr``, which the caller owns and closes.

    ``picture_budget_s`` is how long the pictures of one file may take, waiting for other files included.
    """

    model_id = "local-ppocrv6"
    prompt_version = "1"

    def __init__(self, ocr: OcrProcess, *, picture_budget_s: float = 420) -> None:
        self._ocr = ocr
        self._picture_budget_s = picture_budget_s
        self._languages = LanguageGuesser()

    async def analyze(self, material: Material, read_picture: PictureReader) -> Analysis:
        """Every text of the material and every text seen in its pictures becomes a segment."""
        seen = await look_at(material.pictures, read_picture, self._ocr, self._picture_budget_s)
        return await asyncio.to_thread(self._compose, material, seen)

    def _compose(self, material: Material, seen: Seen) -> Analysis:
        found = [AnalyzedSegment(text=t.text, locator=t.locator, source=t.source) for t in material.texts]
        found = sorted([s for s in found if s.text.strip()] + seen.segments, key=_place)
        texts = spread([segment.text for segment in found], _READ)
        colours = seen.colours if material.kind is Kind.IMAGE else ()
        own = facts.metadata_text(material)
        about = [AnalyzedSegment(text=own, locator=Locator(), source=TextSource.METADATA)] if own else []
        labels = (material.kind.value, *keywords(texts), *colours)
        return Analysis(
            title=redact(facts.title_of(material)),
            summary=redact(" ".join(_summary(material, texts, colours))),
            labels=tuple(dict.fromkeys(redact(label) for label in labels)),
            language=material.properties.language or self._languages.guess("\n".join(texts)),
            segments=(*about, *found),
            model_id=self.model_id,
            prompt_version=self.prompt_version,
            degradations=tuple(seen.degradations),
        )


def _place(segment: AnalyzedSegment) -> tuple[int, float]:
    return (segment.locator.page or 0, segment.locator.start_s or 0.0)


def _summary(material: Material, texts: Sequence[str], colours: Sequence[str]) -> Sequence[str]:
    sentences = summarize(texts)
    if len(sentences) >= 2:
        return sentences
    said = [facts.describe(material), *sentences]
    if not sentences:
        said += _quoted(texts)
    if colours:
        said.append(f"Mostly {', '.join(colours)}.")
    own = facts.metadata_text(material)
    if len(said) < 2 and own:
        said.append(own.replace("\n", "; ") + ".")
    if len(said) < 2:
        said.append(f"Its name is {material.filename}.")
    return said[:MOST_SENTENCES]


def _quoted(texts: Sequence[str]) -> list[str]:
    words = " ".join(" ".join(texts).split())
    if not any(c.isalnum() for c in words):
        return []
    if len(words) > _QUOTE:
        words = words[:_QUOTE].rsplit(" ", 1)[0] + " …"
    return [f"It says: “{words}”"]
