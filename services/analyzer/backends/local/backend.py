"""Turns material into an analysis on this machine: OCR, speech, extracted text, extractive summary, keywords, language.

Nothing in a file can change what is done with it: its text is only counted, quoted and indexed.
"""

import asyncio
from collections.abc import Sequence

from analyzer import facts
from analyzer.backends.backend import ArtifactReader
from analyzer.backends.local.keywords import keywords
from analyzer.backends.local.language import LanguageGuesser
from analyzer.backends.local.ocr import OcrProcess
from analyzer.backends.local.pictures import Seen, look_at, unwritten
from analyzer.backends.local.speech.listening import Listened, Listener
from analyzer.backends.local.summary import MOST_SENTENCES, summarize
from analyzer.backends.local.vision.viewing import Viewer
from analyzer.redaction import redact
from analyzer.sampling import spread
from contracts.artifacts import Analysis, AnalyzedSegment, Kind, Locator, Material, TextSource
from telemetry import spans

_READ = 1_000_000
"""Characters looked at for summary and keywords, spread over the whole file: a second or two of work."""

_QUOTE = 160


class LocalBackend:
    """Reads pictures through ``ocr``, which the caller owns and closes; hears sound where there is a ``listener`` and
    names what pictures show where there is a ``viewer``.

    ``picture_budget_s`` is how long sound and pictures of one file may take, waiting for other files included.
    """

    prompt_version = "2"

    def __init__(
        self,
        ocr: OcrProcess,
        listener: Listener | None = None,
        viewer: Viewer | None = None,
        *,
        picture_budget_s: float = 420,
    ) -> None:
        self._ocr = ocr
        self._viewer = viewer
        self._listener = listener
        reader = "local-ppocrv6" if ocr.reads_text else "local"
        self.model_id = "-".join([reader, *(model.name for model in (listener, viewer) if model)])
        self._picture_budget_s = picture_budget_s
        self._languages = LanguageGuesser()

    async def analyze(self, material: Material, read: ArtifactReader) -> Analysis:
        """Every text of the material and every text seen in its pictures becomes a segment."""
        clock = asyncio.get_running_loop().time
        started = clock()
        heard = await self._hear(material, read)
        budget_s = self._picture_budget_s - (clock() - started)
        with spans.internal("read pictures", **{"mmsearch.pictures": len(material.pictures)}):
            seen = await look_at(material.pictures, read, self._ocr, budget_s, self._viewer)
        with spans.internal("summarize"):
            return await asyncio.to_thread(self._compose, material, seen, heard)

    async def _hear(self, material: Material, read: ArtifactReader) -> Listened:
        if self._listener is None or not material.speech:
            return Listened()
        with spans.internal("listen", **{"mmsearch.sounds": len(material.speech)}):
            return await self._listener.listen(material.speech, read)

    def _compose(self, material: Material, seen: Seen, heard: Listened) -> Analysis:
        found = [AnalyzedSegment(text=t.text, locator=t.locator, source=t.source) for t in material.texts]
        read = unwritten(seen.segments, material.texts)
        found = sorted([s for s in found if s.text.strip()] + heard.segments + read, key=_place)
        texts = spread([segment.text for segment in found], _READ)
        colours = seen.colours if material.kind is Kind.IMAGE else ()
        own = facts.metadata_text(material)
        about = [AnalyzedSegment(text=own, locator=Locator(), source=TextSource.METADATA)] if own else []
        labels = (material.kind.value, *seen.concepts, *keywords(texts), *colours)
        return Analysis(
            title=redact(facts.title_of(material)),
            summary=redact(" ".join(_summary(material, texts, colours, seen.concepts))),
            labels=tuple(dict.fromkeys(redact(label) for label in labels)),
            language=material.properties.language or heard.language or self._languages.guess("\n".join(texts)),
            segments=(*about, *found),
            model_id=self.model_id,
            prompt_version=self.prompt_version,
            degradations=(*heard.degradations, *seen.degradations),
        )


def _place(segment: AnalyzedSegment) -> tuple[int, float]:
    return (segment.locator.page or 0, segment.locator.start_s or 0.0)


def _summary(
    material: Material, texts: Sequence[str], colours: Sequence[str], concepts: Sequence[str]
) -> Sequence[str]:
    sentences = summarize(texts)
    if len(sentences) >= 2:
        return sentences
    said = [facts.describe(material), *sentences]
    if concepts:
        said.append(f"It shows {', '.join(concepts)}.")
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
